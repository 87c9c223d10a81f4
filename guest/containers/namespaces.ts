import { existsSync } from 'node:fs';
import { Internal, InvalidParameter, NotFound } from '../errors.ts';
import type { SandboxNamespace } from '../network/network-manager.ts';
import type { NamespaceChoice } from '../runtime/spec/container-spec.ts';
import type { ContainerConfig, HostConfig } from '../schema/container.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';

const joinedPrefix = 'container:';

/** The container whose namespace a mode asks for; null when it asks for none. */
export function joinedContainer(mode: string): string | null {
  return mode.startsWith(joinedPrefix) ? mode.slice(joinedPrefix.length) : null;
}

/** Throws InvalidParameter for a mode that does not exist, in dockerd's words. */
export function checkNamespaceModes(config: ContainerConfig, host: HostConfig): void {
  const check = (name: string, mode: string, pattern: RegExp) => {
    if (!pattern.test(mode)) throw new InvalidParameter(`invalid ${name} mode: ${mode}`);
  };
  check('IPC', host.IpcMode, /^(|none|private|shareable|host|container:.+)$/);
  check('PID', host.PidMode, /^(|host|container:.+)$/);
  check('UTS', host.UTSMode, /^(|host)$/);
  check('cgroup namespace', host.CgroupnsMode, /^(|host|private)$/);
  if (!['', 'host'].includes(host.UsernsMode))
    throw new InvalidParameter(
      `invalid user namespace mode: ${host.UsernsMode}; this engine maps no users, so only "host" makes sense`,
    );
  if (host.UTSMode === 'host' && config.Hostname !== '')
    throw new InvalidParameter('conflicting options: hostname and the UTS mode');
}

/**
 * With ids in the place of names, which may change. Whose network it will be is found at the start, if not now.
 * Not NotFound, as with dockerd: `docker run` would take the image for missing. Throws InvalidParameter.
 */
export function resolveNeighbours(host: HostConfig, neighbours: Neighbours): HostConfig {
  const resolve = (mode: string) => {
    const joined = joinedContainer(mode);
    if (joined === null) return mode;
    try {
      return joinedPrefix + neighbours.recordOf(joined).id;
    } catch (error) {
      throw error instanceof NotFound ? new InvalidParameter(error.message, { cause: error }) : error;
    }
  };
  return {
    ...host,
    NetworkMode: networkModeOf(host, neighbours),
    PidMode: resolve(host.PidMode),
    IpcMode: resolve(host.IpcMode),
  };
}

function networkModeOf({ NetworkMode }: HostConfig, neighbours: Neighbours): string {
  const joined = joinedContainer(NetworkMode);
  const record = joined === null ? undefined : neighbours.find(joined);
  return record ? joinedPrefix + record.id : NetworkMode;
}

/** For the OCI spec. Throws NotFound, Conflict or InvalidParameter when a container cannot be joined. */
export function namespacesOf(
  { hostConfig }: ContainerRecord,
  deps: Dependencies,
  { namespace, neighbours }: { readonly namespace: SandboxNamespace; readonly neighbours: Neighbours },
): Record<'network' | 'pid' | 'ipc' | 'uts' | 'cgroup', NamespaceChoice> {
  const choose = (mode: string, type: 'pid' | 'ipc'): NamespaceChoice => {
    const joined = joinedContainer(mode);
    if (joined === null) return mode === 'host' ? 'host' : 'own';
    try {
      return { path: `/proc/${neighbours.runningPid(joined).pid}/ns/${type}` };
    } catch (error) {
      // Its sentence only: the state that was wrong is another container's.
      throw new Internal(`failed to join ${type.toUpperCase()} namespace: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
  if (hostConfig.CgroupnsMode === 'private' && deps.host.cgroupVersion === '1')
    throw new InvalidParameter('cgroup namespaces are not supported on a host with cgroup v1');
  return {
    network:
      namespace.kind === 'path' ? { path: namespace.path } : namespace.kind === 'host' ? 'host' : 'own',
    pid: choose(hostConfig.PidMode, 'pid'),
    ipc: choose(hostConfig.IpcMode, 'ipc'),
    uts: hostConfig.UTSMode === 'host' ? 'host' : 'own',
    cgroup: hostConfig.CgroupnsMode === 'host' || deps.host.cgroupVersion === '1' ? 'host' : 'own',
  };
}

/** Where the shared memory of a `shareable` container is; the joining one gets the same. Throws InvalidParameter. */
export function sharedMemoryOf(
  { id, hostConfig }: ContainerRecord,
  { paths }: Pick<Dependencies, 'paths'>,
): { readonly kind: 'own' | 'none' } | { readonly kind: 'bind'; readonly source: string } {
  const { IpcMode } = hostConfig;
  const joined = joinedContainer(IpcMode);
  if (IpcMode === 'host') return { kind: 'bind', source: '/dev/shm' };
  if (IpcMode === 'none') return { kind: 'none' };
  if (IpcMode === 'shareable') return { kind: 'bind', source: paths.sharedMemory(id) };
  if (joined === null) return { kind: 'own' };
  const source = paths.sharedMemory(joined);
  if (!existsSync(source))
    throw new InvalidParameter(
      `container ${joined}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  return { kind: 'bind', source };
}
