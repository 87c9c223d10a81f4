import { agentVersion } from '../../agent-version.ts';
import type { EngineConfig } from '../../config.ts';
import type { EventBus } from '../../events/bus.ts';
import { forwardsIpv4, type HostSystem } from '../../host/system.ts';
import { logDrivers } from '../../logs/log-options.ts';
import { alwaysInsecure } from '../../registry/insecure.ts';
import { engineVersion } from '../versions.ts';

export interface EngineCounts {
  readonly running: number;
  readonly paused: number;
  readonly stopped: number;
  readonly images: number;
}

/** The answer to `GET /info`, in the shape of API 1.50. Every field tells what is, or that it is not there. */
export function engineInfo(from: {
  readonly config: EngineConfig;
  readonly host: HostSystem;
  readonly events: EventBus;
  readonly engineId: string;
  readonly counts: EngineCounts;
  readonly runtimeVersion: string;
  readonly apiMinor: number;
}): object {
  const { config, host, counts } = from;
  const has = (controller: string) => host.cgroupControllers.has(controller);
  return {
    ID: from.engineId,
    Name: host.hostname,
    Containers: counts.running + counts.paused + counts.stopped,
    ContainersRunning: counts.running,
    ContainersPaused: counts.paused,
    ContainersStopped: counts.stopped,
    Images: counts.images,
    Driver: 'overlay2',
    DriverStatus: [
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', 'true'],
    ],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: logDrivers,
    },
    MemoryLimit: has('memory'),
    SwapLimit: has('memory'),
    CpuCfsPeriod: has('cpu'),
    CpuCfsQuota: has('cpu'),
    CPUShares: has('cpu'),
    CPUSet: has('cpuset'),
    PidsLimit: has('pids'),
    // Gone with cgroup v2.
    OomKillDisable: false,
    IPv4Forwarding: forwardsIpv4(),
    Debug: config.debug,
    NFd: 0,
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: host.cgroupVersion,
    NEventsListener: from.events.listenerCount(),
    KernelVersion: host.kernelRelease,
    OperatingSystem: host.osName,
    OSVersion: host.osVersion,
    OSType: 'linux',
    Architecture: host.machine,
    NCPU: host.cpuCount,
    MemTotal: host.memoryBytes,
    // Clients have a default of their own.
    IndexServerAddress: '',
    RegistryConfig: registryConfig(config),
    GenericResources: null,
    DockerRootDir: config.dataRoot,
    HttpProxy: withoutPassword(process.env.HTTP_PROXY),
    HttpsProxy: withoutPassword(process.env.HTTPS_PROXY),
    NoProxy: process.env.NO_PROXY ?? '',
    Labels: config.labels,
    ExperimentalBuild: false,
    ServerVersion: engineVersion,
    Runtimes: { crun: { path: 'crun' } },
    DefaultRuntime: 'crun',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    // Containers always survive the engine here.
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: '',
    // dockerd's parts, none of which is here; what runs containers is told under its own name.
    ContainerdCommit: { ID: 'none' },
    RuncCommit: { ID: `none (crun ${from.runtimeVersion})` },
    InitCommit: { ID: 'none' },
    SecurityOptions: [
      'name=seccomp,profile=builtin',
      ...(host.cgroupVersion === '2' ? ['name=cgroupns'] : []),
      // Before 1.25 they were names.
    ].map((option) => (from.apiMinor < 25 ? option.replace(/^name=([^,]*).*/, '$1') : option)),
    ...(from.apiMinor < 25 && { ExecutionDriver: '<not supported>' }),
    ProductLicense: `Apache-2.0 (machine ${agentVersion})`,
    DefaultAddressPools: [],
    CDISpecDirs: [],
    Warnings: warnings(has),
  };
}

function registryConfig(config: EngineConfig): object {
  const cidrs = config.insecureRegistries.filter((name) => name.includes('/'));
  const names = config.insecureRegistries.filter((name) => !name.includes('/'));
  const index = (name: string, official: boolean, mirrors: readonly string[]) => ({
    Name: name,
    Mirrors: mirrors,
    Secure: official,
    Official: official,
  });
  return {
    InsecureRegistryCIDRs: [...alwaysInsecure, ...cidrs],
    IndexConfigs: {
      'docker.io': index('docker.io', true, config.registryMirrors),
      ...Object.fromEntries(names.map((name) => [name, index(name, false, [])])),
    },
    Mirrors: config.registryMirrors,
  };
}

/** moby's words for what a host cannot do. */
function warnings(has: (controller: string) => boolean): string[] {
  return [
    ...(has('memory') ? [] : ['WARNING: No memory limit support', 'WARNING: No swap limit support']),
    ...(has('cpu') ? [] : ['WARNING: No cpu cfs quota support', 'WARNING: No cpu shares support']),
    ...(has('cpuset') ? [] : ['WARNING: No cpuset support']),
    ...(has('pids') ? [] : ['WARNING: No pids limit support']),
  ];
}

/** As dockerd shows a proxy's URL. */
function withoutPassword(url: string | undefined): string {
  return (url ?? '').replace(/^(\w+:\/\/)[^@/]+@/, '$1xxxxx:xxxxx@');
}
