import { access, mkdir, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { InvalidParameter, Unavailable } from '../errors.ts';
import { makeDirectories } from '../host/make-directories.ts';
import type { HostSshAgent } from '../host-services/ssh-agent.ts';
import { type SharedDirectory, sshAgentSocket } from '../wire/index.ts';
import type { RecordedMount } from './container-record.ts';

/** Of <linux/magic.h>: what a directory of the host is mounted as. */
const fuse = 0x65735546;
/** For the host's end to come up, after a start of the machine or a loss of its supervisor. */
const connectDeadlineMs = 20_000;
const retryMs = 200;

/** Where binds come from: whether that is there, and what becomes of it when it is not. */
export interface BindSources {
  /** Throws InvalidParameter when the source of a `--mount` is missing, or one of `-v` that cannot be made. */
  check(mount: RecordedMount): Promise<void>;
  /** Before a start: also makes what `-v` binds and is missing. */
  prepare(mount: RecordedMount): Promise<void>;
}

/** Those of the computer that the engine runs on, by dockerd's rules. */
export const ownSources: BindSources = {
  async check(mount) {
    if (mount.createSource || (await exists(mount.source))) return;
    throw missing(mount.source);
  },
  async prepare(mount) {
    await ownSources.check(mount);
    if (await exists(mount.source)) return;
    try {
      makeDirectories(mount.source, { mode: 0o755 });
    } catch (cause) {
      throw notMade(mount.source, cause);
    }
  },
};

export interface MachineSourcesOptions {
  readonly deadlineMs?: number;
  /** Behind {@link sshAgentSocket}; null where nobody listens there. */
  readonly sshAgent?: Pick<HostSshAgent, 'answers'> | null;
}

/**
 * Those of a machine of ours. Who types `-v` means the host's files: a path that the host does not share is an
 * error, where dockerd would make an empty directory. What the guest itself has, such as the engine's socket, can
 * be bound all the same.
 */
export function machineSources(
  directories: readonly SharedDirectory[],
  { deadlineMs = connectDeadlineMs, sshAgent = null }: MachineSourcesOptions = {},
): BindSources {
  const sharing = (path: string) =>
    directories.find((shared) => path === shared.path || path.startsWith(`${shared.path}/`));
  const find = async ({ source, createSource }: RecordedMount) => {
    const shared = sharing(source);
    if (shared !== undefined) await whenConnected(shared, deadlineMs);
    if (await exists(source)) return;
    if (shared === undefined) throw notShared(source, directories);
    if (!createSource) throw missing(source);
  };
  return {
    async check(mount) {
      await find(mount);
      // Not at a start: who starts it then, such as a restart policy, may have no shell to start an agent in.
      if (mount.source === sshAgentSocket && sshAgent !== null && !(await sshAgent.answers()))
        throw noSshAgent();
    },
    async prepare(mount) {
      await find(mount);
      const { source } = mount;
      if (await exists(source)) return;
      await mkdir(source, { recursive: true, mode: 0o755 }).catch((cause: unknown) => {
        throw notMade(source, cause);
      });
    },
  };
}

/** A client that lost its host connects again when it is asked for something; so this asks. */
async function whenConnected({ path }: SharedDirectory, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const type = await statfs(path).then(
      (found) => found.type,
      () => null,
    );
    if (type === fuse) return;
    if (Date.now() >= deadline)
      throw new Unavailable(
        `the host's directory ${path} is not connected to this machine; any machine command, such as machine status, connects it again`,
      );
    await delay(retryMs);
  }
}

function notShared(source: string, directories: readonly SharedDirectory[]): InvalidParameter {
  const paths = directories.map(({ path }) => path).join(', ');
  return new InvalidParameter(
    `bind source path does not exist in this machine: ${source}; of your computer it has ${paths || 'no directory'}; machine restart --add-mount ${source} ${hostname()} adds it`,
  );
}

function noSshAgent(): Unavailable {
  return new Unavailable(
    `bind source ${sshAgentSocket}: your computer has no ssh-agent that answers; start one there, as with eval "$(ssh-agent)" and ssh-add, and tell the machine where it is: machine start ${hostname()}`,
  );
}

function missing(source: string): InvalidParameter {
  return new InvalidParameter(
    `invalid mount config for type "bind": bind source path does not exist: ${source}`,
  );
}

/** Node says "ENOENT: no such file or directory, mkdir '/proc/x'", dockerd the same in Go's order. */
function notMade(path: string, cause: unknown): InvalidParameter {
  const why = (cause as Error).message.replace(/^\w+: (.*), (\w+) '(.*)'$/s, '$2 $3: $1');
  return new InvalidParameter(`error while creating mount source path '${path}': ${why}`, { cause });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
