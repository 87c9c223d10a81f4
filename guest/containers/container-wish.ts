import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostSystem } from '../host/system.ts';
import type { SandboxNamespace } from '../network/network-manager.ts';
import type { TerminalSize } from '../runtime/runtime.ts';
import type { ProcessSpec, RuntimeSpec } from '../runtime/runtime-spec.ts';
import { boundingSet, containerCapabilities } from '../runtime/spec/capabilities.ts';
import { containerSpec, type ProcessWish, processSpec } from '../runtime/spec/container-spec.ts';
import { type DeviceWish, deviceNodes, hostDevices, parseDeviceRule } from '../runtime/spec/devices.ts';
import { findInit, initDestination } from '../runtime/spec/init-program.ts';
import { type BindMount, defaultShmBytes } from '../runtime/spec/mounts.ts';
import type { ResourceLimits } from '../runtime/spec/resources.ts';
import { behindDanglingLinks, readRootfsFile } from '../runtime/spec/rootfs-file.ts';
import { defaultSysctls } from '../runtime/spec/sysctls.ts';
import type { Ulimit } from '../runtime/spec/ulimits.ts';
import { type ResolvedUser, resolveUser } from '../runtime/spec/users.ts';
import type { ExecBody, HostConfig } from '../schema/container.ts';
import type { EnginePaths } from '../store/paths.ts';
import type { ContainerRecord, RecordedMount } from './container-record.ts';
import { commandOf } from './create-config.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import { joinedContainer, namespacesOf, sharedMemoryOf } from './namespaces.ts';
import { checkPropagation } from './propagation.ts';
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
  const devices = deviceNodes(devicesOf(hostConfig));
  const init = initOf(hostConfig);
  const process = processWish(record, deps, consoleSize(hostConfig.ConsoleSize));
  const namespaces = namespacesOf(record, deps, from);
  const destinationOf = destinations(record, deps);
  writeFileSync(join(deps.paths.container(record.id), 'hostname'), `${config.Hostname}\n`);
  return containerSpec({
    ...process,
    args: init ? [initDestination, '--', ...process.args] : process.args,
    domainname: config.Domainname,
    privileged: hostConfig.Privileged,
    readonlyRootfs: hostConfig.ReadonlyRootfs,
    seccomp: security.seccomp,
    writableCgroups: security.writableCgroups,
    maskedPaths: hostConfig.MaskedPaths,
    readonlyPaths: hostConfig.ReadonlyPaths,
    machine: deps.host.machine,
    kernelRelease: deps.host.kernelRelease,
    mounts: {
      shmBytes: hostConfig.ShmSize || defaultShmBytes,
      sharedMemory: sharedMemoryOf(record, deps),
      files: networkFiles(record, deps).map((file) => ({ ...file, destination: destinationOf(file) })),
      init,
      binds: record.mounts
        .filter(({ type }) => type !== 'tmpfs')
        .map((mount) => ({
          ...bindOf(record.id, mount, deps.paths),
          destination: destinationOf(mount),
        })),
      tmpfs: Object.fromEntries(
        record.mounts
          .filter(({ type }) => type === 'tmpfs')
          .map((mount) => [destinationOf(mount), mount.tmpfsOptions]),
      ),
    },
    namespaces,
    limits: limitsOf(record, deps.host),
    devices: {
      nodes: hostConfig.Privileged ? hostDevices() : devices.nodes,
      rules: [...devices.rules, ...(hostConfig.DeviceCgroupRules ?? []).map(parseDeviceRule)],
    },
    sysctls: { ...(ownsNetwork(hostConfig) ? defaultSysctls() : {}), ...hostConfig.Sysctls },
    annotations: hostConfig.Annotations,
    cgroupsPath: deps.cgroups.path(record.id),
  });
}

/** Where mounts go, links of the image followed; those below another mount are that one's files. */
function destinations({ id, mounts }: ContainerRecord, { snapshotter }: Dependencies) {
  const rootfs = snapshotter.mount(id);
  const destinationOf = ({ destination }: { readonly destination: string }): string => {
    const above = mounts.find((mount) => destination.startsWith(`${mount.destination}/`));
    if (!above) return behindDanglingLinks(rootfs, destination);
    return destinationOf(above) + destination.slice(above.destination.length);
  };
  return destinationOf;
}

function bindOf(id: string, mount: RecordedMount, paths: EnginePaths): BindMount {
  const source = sourceOf(id, mount, paths);
  checkPropagation(mount);
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
  });
}

/** What is known of cgroup v1 only is left out with v2, after a warning (check-request.ts). */
export function limitsOf(
  { hostConfig }: Pick<ContainerRecord, 'hostConfig'>,
  { cgroupVersion }: Pick<HostSystem, 'cgroupVersion'>,
): ResourceLimits {
  const legacy = cgroupVersion === '1';
  const swappiness = hostConfig.MemorySwappiness ?? -1;
  const rates = (list: HostConfig['BlkioDeviceReadBps']) =>
    list.map(({ Path, Rate }) => ({ path: Path, rate: Rate }));
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
    ...(legacy && swappiness !== -1 ? { swappiness } : {}),
    ...(legacy && hostConfig.OomKillDisable ? { disableOomKiller: true } : {}),
    blockIo: {
      weight: hostConfig.BlkioWeight,
      weightDevices: hostConfig.BlkioWeightDevice.map(({ Path, Weight }) => ({ path: Path, weight: Weight })),
      readBps: rates(hostConfig.BlkioDeviceReadBps),
      writeBps: rates(hostConfig.BlkioDeviceWriteBps),
      readIops: rates(hostConfig.BlkioDeviceReadIOps),
      writeIops: rates(hostConfig.BlkioDeviceWriteIOps),
    },
  };
}

export function devicesOf({ Devices }: HostConfig): DeviceWish[] {
  return Devices.map((device) => ({
    pathOnHost: device.PathOnHost,
    pathInContainer: device.PathInContainer || device.PathOnHost,
    permissions: device.CgroupPermissions || 'rwm',
  }));
}

export function ulimitsOf({ Ulimits }: HostConfig): Ulimit[] {
  return Ulimits.map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard }));
}

/** The host's file of `--init`; null without. Who joins other processes has an init among them already. */
function initOf({ Init, PidMode }: HostConfig): string | null {
  return Init && PidMode === '' ? findInit() : null;
}

/** Makes a network namespace, instead of sharing one. */
function ownsNetwork({ NetworkMode }: HostConfig): boolean {
  return NetworkMode !== 'host' && joinedContainer(NetworkMode) === null;
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
    ulimits: ulimitsOf(hostConfig),
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

/** Files of ours over the image's own; written at its starts. */
export function networkFiles(record: ContainerRecord, deps: Pick<Dependencies, 'paths'>) {
  const directory = deps.paths.container(record.id);
  return ['hosts', 'resolv.conf', 'hostname'].map((name) => ({
    source: join(directory, name),
    destination: `/etc/${name}`,
    readonly: record.hostConfig.ReadonlyRootfs,
  }));
}
