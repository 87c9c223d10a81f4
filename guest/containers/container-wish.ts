import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecBody } from '../api/schema/container.ts';
import { InvalidParameter } from '../errors.ts';
import type { SandboxNamespace } from '../network/network-manager.ts';
import type { TerminalSize } from '../runtime/runtime.ts';
import type { ProcessSpec, RuntimeSpec } from '../runtime/runtime-spec.ts';
import { boundingSet, containerCapabilities } from '../runtime/spec/capabilities.ts';
import {
  containerSpec,
  type NamespaceChoice,
  type ProcessWish,
  processSpec,
} from '../runtime/spec/container-spec.ts';
import { deviceNodes, hostDevices, parseDeviceRule } from '../runtime/spec/devices.ts';
import { type BindMount, defaultShmBytes } from '../runtime/spec/mounts.ts';
import type { ResourceLimits } from '../runtime/spec/resources.ts';
import { readRootfsFile } from '../runtime/spec/rootfs-file.ts';
import { type ResolvedUser, resolveUser } from '../runtime/spec/users.ts';
import type { EnginePaths } from '../store/paths.ts';
import type { ContainerRecord, RecordedMount } from './container-record.ts';
import { commandOf } from './create-config.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import { parseSecurityOptions } from './security-options.ts';
import { sourceOf } from './subpaths.ts';

/** From a record to what the runtime is told. */
export function specOf(
  record: ContainerRecord,
  deps: Dependencies,
  from: { readonly namespace: SandboxNamespace; readonly neighbours: Neighbours },
): RuntimeSpec {
  const { config, hostConfig } = record;
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const devices = deviceNodes(
    hostConfig.Devices.map((device) => ({
      pathOnHost: device.PathOnHost,
      pathInContainer: device.PathInContainer || device.PathOnHost,
      permissions: device.CgroupPermissions || 'rwm',
    })),
  );
  return containerSpec({
    ...processWish(record, deps, consoleSize(hostConfig.ConsoleSize)),
    domainname: config.Domainname,
    privileged: hostConfig.Privileged,
    readonlyRootfs: hostConfig.ReadonlyRootfs,
    seccomp: security.seccomp,
    machine: deps.host.machine,
    mounts: {
      shmBytes: hostConfig.ShmSize || defaultShmBytes,
      files: networkFiles(record, deps),
      binds: record.mounts
        .filter(({ type }) => type !== 'tmpfs')
        .map((mount) => bindOf(record.id, mount, deps.paths)),
      tmpfs: Object.fromEntries(
        record.mounts
          .filter(({ type }) => type === 'tmpfs')
          .map(({ destination, tmpfsOptions }) => [destination, tmpfsOptions]),
      ),
    },
    namespaces: namespacesOf(record, deps, from),
    limits: limitsOf(record),
    devices: {
      nodes: hostConfig.Privileged ? hostDevices() : devices.nodes,
      rules: [...devices.rules, ...(hostConfig.DeviceCgroupRules ?? []).map(parseDeviceRule)],
    },
    sysctls: hostConfig.Sysctls,
    annotations: hostConfig.Annotations,
    cgroupsPath: deps.cgroups.path(record.id),
  });
}

function bindOf(id: string, mount: RecordedMount, paths: EnginePaths): BindMount {
  const source = sourceOf(id, mount, paths);
  // Nothing is below a file, and crun refuses to make one read-only with all below it.
  const recursive = mount.recursive && statSync(source).isDirectory();
  return { ...mount, source, recursive, propagation: mount.propagation || 'rprivate' };
}

/** The process of `docker exec`: the container's own, with what was asked for in its place. */
export function execProcess(record: ContainerRecord, deps: Dependencies, exec: ExecBody): ProcessSpec {
  const wish = processWish(record, deps, consoleSize(exec.ConsoleSize ?? [0, 0]));
  return processSpec({
    ...wish,
    args: exec.Cmd ?? [],
    env: [...wish.env, ...(exec.Env ?? [])],
    cwd: exec.WorkingDir || wish.cwd,
    user: exec.User ? userOf(record, deps, exec.User) : wish.user,
    terminal: exec.Tty,
    capabilities: exec.Privileged
      ? containerCapabilities({ add: [], drop: [], privileged: true }, boundingSet())
      : wish.capabilities,
    // They are the container's already.
    ulimits: [],
  });
}

export function limitsOf({ hostConfig }: Pick<ContainerRecord, 'hostConfig'>): ResourceLimits {
  return {
    memoryBytes: hostConfig.Memory,
    memoryReservationBytes: hostConfig.MemoryReservation,
    memorySwapBytes: hostConfig.MemorySwap,
    nanoCpus: hostConfig.NanoCpus,
    cpuShares: hostConfig.CpuShares,
    cpuPeriodUs: hostConfig.CpuPeriod,
    cpuQuotaUs: hostConfig.CpuQuota,
    cpusetCpus: hostConfig.CpusetCpus,
    cpusetMems: hostConfig.CpusetMems,
    pidsLimit: hostConfig.PidsLimit ?? 0,
    blkioWeight: hostConfig.BlkioWeight,
  };
}

function processWish(record: ContainerRecord, deps: Dependencies, size: TerminalSize | null): ProcessWish {
  const { config, hostConfig } = record;
  return {
    args: commandOf(config),
    env: [...(record.linkEnv ?? []), ...(config.Env ?? [])],
    cwd: config.WorkingDir,
    user: userOf(record, deps, config.User),
    hostname: config.Hostname,
    terminal: config.Tty,
    ...(size ? { size } : {}),
    capabilities: containerCapabilities(
      { add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [], privileged: hostConfig.Privileged },
      boundingSet(),
    ),
    noNewPrivileges: parseSecurityOptions(hostConfig.SecurityOpt ?? []).noNewPrivileges,
    ulimits: hostConfig.Ulimits.map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard })),
    oomScoreAdj: hostConfig.OomScoreAdj,
  };
}

/** Throws InvalidParameter when the container's own files do not know the user. */
export function userOf(record: ContainerRecord, deps: Dependencies, user: string): ResolvedUser {
  const rootfs = deps.snapshotter.mount(record.id);
  return resolveUser(
    user,
    { passwd: readRootfsFile(rootfs, 'etc/passwd'), group: readRootfsFile(rootfs, 'etc/group') },
    record.hostConfig.GroupAdd ?? [],
  );
}

function consoleSize([rows, columns]: readonly number[]): TerminalSize | null {
  return rows && columns ? { rows, columns } : null;
}

/** Files of ours over the image's own. */
function networkFiles(record: ContainerRecord, deps: Dependencies) {
  const directory = deps.paths.container(record.id);
  writeFileSync(join(directory, 'hostname'), `${record.config.Hostname}\n`);
  return ['hosts', 'resolv.conf', 'hostname'].map((name) => ({
    source: join(directory, name),
    destination: `/etc/${name}`,
  }));
}

function namespacesOf(
  { hostConfig }: ContainerRecord,
  deps: Dependencies,
  { namespace, neighbours }: { namespace: SandboxNamespace; neighbours: Neighbours },
): Record<'network' | 'pid' | 'ipc' | 'uts' | 'cgroup', NamespaceChoice> {
  const choose = (mode: string, type: 'pid' | 'ipc'): NamespaceChoice => {
    if (mode === 'host') return 'host';
    if (!mode.startsWith('container:')) return 'own';
    return { path: `/proc/${neighbours.runningPid(mode.slice('container:'.length)).pid}/ns/${type}` };
  };
  const privateCgroup = hostConfig.CgroupnsMode === 'private';
  if (privateCgroup && deps.host.cgroupVersion === '1')
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
