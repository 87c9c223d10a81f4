import { mapOf, orNull, type Shape } from '../shape.ts';
import { words } from './common.ts';
import { containerSummaryShape } from './container.ts';
import { imageSummaryShape } from './image.ts';
import { volumeShape } from './volume.ts';

/** Shapes of API 1.50, with the names of the definition: the engine itself. */

export const eventShape = {
  Type: 'string',
  Action: 'string',
  Actor: { ID: 'string', Attributes: mapOf('string') },
  scope: 'string',
  time: 'integer',
  timeNano: 'integer',
} satisfies Shape;

export const versionShape = {
  Platform: { Name: 'string' },
  Components: [{ Name: 'string', Version: 'string', 'Details?': mapOf('string') }],
  Version: 'string',
  ApiVersion: 'string',
  MinAPIVersion: 'string',
  GitCommit: 'string',
  GoVersion: 'string',
  Os: 'string',
  Arch: 'string',
  KernelVersion: 'string',
  BuildTime: 'string',
} satisfies Shape;

export const infoShape = {
  ID: 'string',
  Containers: 'integer',
  ContainersRunning: 'integer',
  ContainersPaused: 'integer',
  ContainersStopped: 'integer',
  Images: 'integer',
  Driver: 'string',
  DriverStatus: [['string']],
  Plugins: { Volume: ['string'], Network: ['string'], Authorization: words, Log: ['string'] },
  MemoryLimit: 'boolean',
  SwapLimit: 'boolean',
  CpuCfsPeriod: 'boolean',
  CpuCfsQuota: 'boolean',
  CPUShares: 'boolean',
  CPUSet: 'boolean',
  PidsLimit: 'boolean',
  IPv4Forwarding: 'boolean',
  Debug: 'boolean',
  NFd: 'integer',
  NGoroutines: 'integer',
  SystemTime: 'time',
  LoggingDriver: 'string',
  CgroupDriver: 'string',
  CgroupVersion: 'string',
  NEventsListener: 'integer',
  KernelVersion: 'string',
  OperatingSystem: 'string',
  OSVersion: 'string',
  OSType: 'string',
  Architecture: 'string',
  IndexServerAddress: 'string',
  RegistryConfig: {
    InsecureRegistryCIDRs: ['string'],
    IndexConfigs: mapOf({ Name: 'string', Mirrors: words, Secure: 'boolean', Official: 'boolean' }),
    Mirrors: words,
  },
  NCPU: 'integer',
  MemTotal: 'integer',
  GenericResources: orNull(['string']),
  DockerRootDir: 'string',
  HttpProxy: 'string',
  HttpsProxy: 'string',
  NoProxy: 'string',
  Name: 'string',
  Labels: words,
  ExperimentalBuild: 'boolean',
  ServerVersion: 'string',
  Runtimes: mapOf({ 'path?': 'string' }),
  DefaultRuntime: 'string',
  Swarm: {
    NodeID: 'string',
    NodeAddr: 'string',
    LocalNodeState: 'string',
    ControlAvailable: 'boolean',
    Error: 'string',
    RemoteManagers: orNull(['string']),
  },
  LiveRestoreEnabled: 'boolean',
  Isolation: 'string',
  InitBinary: 'string',
  ContainerdCommit: { ID: 'string' },
  RuncCommit: { ID: 'string' },
  InitCommit: { ID: 'string' },
  SecurityOptions: ['string'],
  Warnings: words,
} satisfies Shape;

export const diskUsageShape = {
  LayersSize: 'integer',
  Images: orNull([{ ...imageSummaryShape, RepoDigests: words }]),
  Containers: orNull([containerSummaryShape]),
  Volumes: orNull([volumeShape]),
  BuildCache: orNull(['string']),
} satisfies Shape;
