import { resolve } from 'node:path';
import { Usage } from './errors.ts';
import type { ParsedFlags } from './flags.ts';
import { type PortBinding, publishedPorts } from './publish.ts';

/** The body of `POST /containers/create`, as far as this client fills it. */
export interface CreateRequest {
  readonly Image: string;
  readonly Cmd: readonly string[] | null;
  readonly Entrypoint?: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly StdinOnce: boolean;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Volumes: Readonly<Record<string, object>>;
  readonly HostConfig: {
    readonly AutoRemove: boolean;
    readonly NetworkMode: string;
    readonly PortBindings: Readonly<Record<string, readonly PortBinding[]>>;
    readonly Binds: readonly string[];
  };
}

/** What `docker run` asks for. Throws Usage for a flag that says nothing sensible. */
export function createRequest(
  flags: ParsedFlags,
  environment: Readonly<Record<string, string | undefined>>,
): CreateRequest {
  const [image, ...command] = flags.words as [string, ...string[]];
  const detached = flags.flag('detach');
  const interactive = flags.flag('interactive');
  const entrypoint = flags.text('entrypoint');
  const ports = publishedPorts(flags.list('publish'));
  const volumes = flags.list('volume');
  return {
    Image: image,
    Cmd: command.length > 0 ? command : null,
    // An empty word resets the image's entry point.
    ...(entrypoint === undefined ? {} : { Entrypoint: [entrypoint] }),
    Env: variables(flags.list('env'), environment),
    User: flags.text('user') ?? '',
    WorkingDir: flags.text('workdir') ?? '',
    Tty: flags.flag('tty'),
    OpenStdin: interactive,
    StdinOnce: interactive && !detached,
    AttachStdin: interactive && !detached,
    AttachStdout: !detached,
    AttachStderr: !detached,
    ExposedPorts: Object.fromEntries(Object.keys(ports).map((port) => [port, {}])),
    Volumes: Object.fromEntries(volumes.filter(isAnonymous).map((path) => [path, {}])),
    HostConfig: {
      AutoRemove: flags.flag('rm'),
      NetworkMode: flags.text('network') ?? 'default',
      PortBindings: ports,
      Binds: volumes.filter((volume) => !isAnonymous(volume)).map(bind),
    },
  };
}

/** `NAME` alone takes the value of this computer's environment, and nothing when it has none. */
export function variables(
  list: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  return list.flatMap((text) => {
    if (text === '' || text.startsWith('=')) throw new Usage(`invalid environment variable: "${text}"`);
    if (text.includes('=')) return [text];
    const value = environment[text];
    return value === undefined ? [] : [`${text}=${value}`];
  });
}

/** `-v /path`: a volume without a name. */
function isAnonymous(volume: string): boolean {
  return !volume.includes(':');
}

/** Paths that begin with a dot are this directory's. */
function bind(volume: string): string {
  const [source = '', ...rest] = volume.split(':');
  if (source === '') throw new Usage(`invalid volume "${volume}"; expected NAME:/path or /directory:/path`);
  return [/^\.{1,2}(\/|$)/.test(source) ? resolve(source) : source, ...rest].join(':');
}
