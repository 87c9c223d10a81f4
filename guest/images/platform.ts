import * as z from 'zod';
import { InvalidParameter, NotFound } from '../errors.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | null | undefined;
}

const hostArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm' };

/** What containers run on here, in OCI's words. */
export const hostPlatform: Platform = {
  os: 'linux',
  architecture: hostArchitectures[process.arch] ?? process.arch,
};

/** Other words for the same, as people type them: OCI's architecture and variant. */
const aliases: Readonly<Record<string, readonly [string, string?]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  i386: ['386'],
};

/** What a word alone may be (containerd/platforms, database.go). */
const knownSystems: readonly string[] = [
  ...['aix', 'android', 'darwin', 'dragonfly', 'freebsd', 'hurd', 'illumos', 'ios', 'js', 'linux'],
  ...['nacl', 'netbsd', 'openbsd', 'plan9', 'solaris', 'windows', 'zos'],
];
const knownArchitectures: readonly string[] = [
  ...['386', 'amd64', 'amd64p32', 'arm', 'armbe', 'arm64', 'arm64be', 'loong64', 'mips', 'mipsle', 'mips64'],
  ...['mips64le', 'mips64p32', 'mips64p32le', 'ppc', 'ppc64', 'ppc64le', 'riscv', 'riscv64', 's390', 's390x'],
  ...['sparc', 'sparc64', 'wasm'],
];

/** `linux/arm/v7` */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join('/');
}

/** The one way to say it, where several mean the same: `linux/arm64` and not `linux/arm64/v8` (containerd/platforms). */
export function plainPlatform({ os, architecture, variant }: Platform): Platform {
  const usual = `${architecture}/${variant ?? ''}`;
  if (usual === 'arm64/v8' || usual === 'amd64/v1') return { os, architecture };
  return usual === 'arm/' ? { os, architecture, variant: 'v7' } : { os, architecture, variant };
}

/**
 * Throws NotFound, in dockerd's words, when a platform was asked for and the image is of another one.
 *
 * @param reference what the user calls the image
 */
export function requirePlatform(its: Platform, wanted: Platform | undefined, reference: string): void {
  if (!wanted || matchesPlatform(its, wanted)) return;
  throw new NotFound(
    `image with reference ${reference} was found but its platform (${formatPlatform(its)}) does not match the specified platform (${formatPlatform(wanted)})`,
  );
}

/** Without a variant on either side any is right. */
export function matchesPlatform(its: Platform, wanted: Platform): boolean {
  return (
    its.os === wanted.os &&
    its.architecture === wanted.architecture &&
    (!wanted.variant || !its.variant || its.variant === wanted.variant)
  );
}

const json = z.object({ os: z.string(), architecture: z.string(), variant: z.string().nullish() });

/**
 * The API's `platform`: JSON (`{"os":"linux","architecture":"amd64"}`), `linux/amd64[/v2]`, or an
 * architecture or operating system alone. Throws InvalidParameter.
 */
export function parsePlatform(text: string): Platform {
  if (!text.startsWith('{')) return parseWords(text);
  try {
    return json.parse(JSON.parse(text));
  } catch (cause) {
    throw wrong(text, cause);
  }
}

function parseWords(text: string): Platform {
  const quoted = JSON.stringify(text);
  const invalid = (why: string) => new InvalidParameter(`${why}: invalid argument`);
  if (text.includes('*')) throw invalid(`${quoted}: wildcards not yet supported`);
  const words = text.toLowerCase().split('/');
  // The sentences are those of containerd/platforms (Parse), with its patterns.
  for (const [index, part] of text.split('/').entries()) {
    const asSystem = index === 0;
    if ((asSystem ? /^[\w-]+(?:\([\w.-]*\))?$/ : /^[\w-]+$/).test(part)) continue;
    throw invalid(
      asSystem
        ? `${JSON.stringify(part)} is an invalid OS component of ${quoted}: OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\\\(([A-Za-z0-9_.-]*)\\\\))?$"`
        : `${JSON.stringify(part)} is an invalid component of ${quoted}: platform specifier component must match "^[A-Za-z0-9_-]+$"`,
    );
  }
  if (words.length > 3) throw invalid(`${quoted}: cannot parse platform specifier`);
  const [given, second, own] = words as [string, string?, string?];
  const first = given === 'macos' ? 'darwin' : given;
  if (second === undefined && knownSystems.includes(first)) return { ...hostPlatform, os: first };
  const [os, name] = second === undefined ? ['linux', first] : [first, second];
  const [architecture, variant] = aliases[name] ?? [name];
  if (second === undefined && !knownArchitectures.includes(architecture))
    throw invalid(`${quoted}: unknown operating system or architecture`);
  return { os, architecture, variant: own ?? variant };
}

function wrong(text: string, cause?: unknown): InvalidParameter {
  return new InvalidParameter(`invalid platform "${text}"; expected such as linux/amd64`, { cause });
}
