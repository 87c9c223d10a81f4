import { posix } from 'node:path';
import { InvalidParameter } from '../errors.ts';
import type { ContainerDefaults } from '../images/image.ts';
import { type ContainerConfig, type HostConfig, healthcheck } from '../schema/container.ts';
import { assertHealthcheck, mergeHealthcheck } from './health/health-check.ts';

/** The client's wishes over the image's defaults, by Docker's rules. Throws InvalidParameter. */
export function mergeConfig(config: ContainerConfig, image: ContainerDefaults): ContainerConfig {
  // A new entrypoint makes the image's command meaningless.
  const ownEntrypoint = (config.Entrypoint ?? []).length > 0;
  const ownCommand = (config.Cmd ?? []).length > 0;
  const Entrypoint = ownEntrypoint ? config.Entrypoint : [...(image.Entrypoint ?? [])];
  const Cmd = ownCommand || ownEntrypoint ? config.Cmd : [...(image.Cmd ?? [])];
  const merged: ContainerConfig = {
    ...config,
    // `--entrypoint ""`
    Entrypoint: Entrypoint?.length === 1 && Entrypoint[0] === '' ? null : nullIfEmpty(Entrypoint),
    Cmd: nullIfEmpty(Cmd),
    Env: mergeEnv(image.Env ?? [], config.Env ?? []),
    Labels: { ...image.Labels, ...config.Labels },
    ExposedPorts: [...new Set([...Object.keys(image.ExposedPorts ?? {}), ...config.ExposedPorts])],
    Volumes: [...new Set([...Object.keys(image.Volumes ?? {}), ...config.Volumes])],
    User: config.User || image.User || '',
    WorkingDir: normalPath(config.WorkingDir || image.WorkingDir || ''),
    StopSignal: config.StopSignal || image.StopSignal || '',
    Healthcheck: mergeHealthcheck(config.Healthcheck, imageHealthcheck(image)),
    Shell: config.Shell ?? nullIfEmpty([...(image.Shell ?? [])]),
  };
  assertHealthcheck(merged.Healthcheck);
  if (commandOf(merged).length === 0) throw new InvalidParameter('no command specified');
  if (merged.WorkingDir !== '' && !merged.WorkingDir.startsWith('/'))
    throw new InvalidParameter(
      `the working directory '${merged.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  return merged;
}

/** What dockerd records where nothing was said. */
export function withDefaults(host: HostConfig): HostConfig {
  const { Memory, MemorySwap, MemorySwappiness, PidsLimit } = host;
  return {
    ...host,
    MemorySwap: Memory > 0 && MemorySwap === 0 ? Memory * 2 : MemorySwap,
    MemorySwappiness: MemorySwappiness === -1 ? null : (MemorySwappiness ?? null),
    PidsLimit: (PidsLimit ?? 0) > 0 ? PidsLimit : null,
  };
}

/** An image's health check that makes no sense is none: an old image must still run. */
function imageHealthcheck({ Healthcheck }: ContainerDefaults) {
  return healthcheck.nullish().safeParse(Healthcheck).data;
}

export function commandOf(config: ContainerConfig): string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
}

/** Without `//`, `.`, `..` and a slash at its end; nothing stays nothing. */
function normalPath(path: string): string {
  return path === '' ? path : posix.normalize(path).replace(/(.)\/$/, '$1');
}

function nullIfEmpty(words: string[] | null): string[] | null {
  return words && words.length > 0 ? words : null;
}

/** The image's variables that the client does not set, after the client's. */
function mergeEnv(image: readonly string[], own: readonly string[]): string[] {
  const nameOf = (entry: string) => entry.split('=', 1)[0]!;
  const taken = new Set(own.map(nameOf));
  return [...own, ...image.filter((entry) => !taken.has(nameOf(entry)))];
}
