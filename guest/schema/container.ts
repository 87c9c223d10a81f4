import * as z from 'zod';

/** Bodies of `POST /containers/create` and friends (Engine API 1.50); Go clients send null for what is empty. */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const integer = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);
const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? null);
const words = z
  .union([z.array(z.string()), z.string().transform((value) => [value])])
  .nullish()
  .transform((value) => value ?? null);
const textMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? []);
const set = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => Object.keys(value ?? {}));

/** Durations in ns; 0 = not given. Images carry the same. */
export const healthcheck = z.object({
  Test: texts,
  Interval: integer,
  Timeout: integer,
  Retries: integer,
  StartPeriod: integer,
  StartInterval: integer,
});

export const containerConfig = z.object({
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: set,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: texts,
  Cmd: words,
  Entrypoint: words,
  Image: text,
  Volumes: set,
  WorkingDir: text,
  NetworkDisabled: flag,
  MacAddress: text,
  Labels: textMap,
  StopSignal: text,
  ArgsEscaped: flag,
  OnBuild: texts,
  StopTimeout: z.number().int().nullish(),
  Shell: texts,
  Healthcheck: healthcheck.nullish(),
});
export type ContainerConfig = z.output<typeof containerConfig>;

const mount = z.object({
  Type: z.string(),
  Source: text,
  Target: text,
  ReadOnly: flag,
  Consistency: text,
  BindOptions: z
    .object({
      Propagation: text,
      NonRecursive: flag,
      CreateMountpoint: flag,
      ReadOnlyNonRecursive: flag,
      ReadOnlyForceRecursive: flag,
    })
    .nullish(),
  VolumeOptions: z
    .object({
      NoCopy: flag,
      Labels: textMap,
      Subpath: text,
      DriverConfig: z.object({ Name: text, Options: textMap }).nullish(),
    })
    .nullish(),
  ImageOptions: z.object({ Subpath: text }).nullish(),
  TmpfsOptions: z.object({ SizeBytes: integer, Mode: integer, Options: list(z.array(z.string())) }).nullish(),
});
export type MountRequest = z.output<typeof mount>;

const device = z.object({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text });
const ulimit = z.object({ Name: z.string(), Soft: z.number().int(), Hard: z.number().int() });
const deviceRate = z.object({ Path: z.string(), Rate: z.number().int().min(0) });
const deviceRequest = z.object({
  Driver: text,
  Count: integer,
  DeviceIDs: texts,
  Capabilities: z.array(z.array(z.string())).nullish(),
  Options: textMap,
});
const portBinding = z.object({ HostIp: z.string().optional(), HostPort: z.string().optional() });

export const hostConfig = z.object({
  Binds: texts,
  ContainerIDFile: text,
  LogConfig: z
    .object({ Type: text, Config: textMap })
    .nullish()
    .transform((value) => ({ Type: value?.Type || 'json-file', Config: value?.Config ?? {} })),
  NetworkMode: text,
  PortBindings: z
    .record(z.string(), z.array(portBinding).nullable())
    .nullish()
    .transform((value) => value ?? {}),
  RestartPolicy: z
    .object({ Name: text, MaximumRetryCount: integer })
    .nullish()
    .transform((value) => ({ Name: value?.Name || 'no', MaximumRetryCount: value?.MaximumRetryCount ?? 0 })),
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: texts,
  ConsoleSize: z
    .tuple([z.number().int(), z.number().int()])
    .nullish()
    .transform((value) => value ?? [0, 0]),
  Annotations: textMap,
  CapAdd: texts,
  CapDrop: texts,
  CgroupnsMode: text,
  Dns: texts,
  DnsOptions: texts,
  DnsSearch: texts,
  ExtraHosts: texts,
  GroupAdd: texts,
  IpcMode: text,
  Cgroup: text,
  Links: texts,
  OomScoreAdj: integer,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: texts,
  StorageOpt: textMap,
  Tmpfs: textMap,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: integer,
  Sysctls: textMap,
  Runtime: text,
  Isolation: text,
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  CgroupParent: text,
  BlkioWeight: integer,
  BlkioWeightDevice: list(z.object({ Path: z.string(), Weight: z.number().int().min(0).max(1000) })),
  BlkioDeviceReadBps: list(deviceRate),
  BlkioDeviceWriteBps: list(deviceRate),
  BlkioDeviceReadIOps: list(deviceRate),
  BlkioDeviceWriteIOps: list(deviceRate),
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: list(device),
  DeviceCgroupRules: texts,
  DeviceRequests: z.array(deviceRequest).nullish(),
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: z.number().int().nullish(),
  OomKillDisable: z.boolean().nullish(),
  PidsLimit: z.number().int().nullish(),
  Ulimits: list(ulimit),
  Mounts: list(mount),
  MaskedPaths: texts,
  ReadonlyPaths: texts,
  Init: z.boolean().nullish(),
  KernelMemoryTCP: integer,
  CpuCount: integer,
  CpuPercent: integer,
  IOMaximumIOps: integer,
  IOMaximumBandwidth: integer,
});
export type HostConfig = z.output<typeof hostConfig>;

/** `POST /containers/{id}/update`: what is 0, empty or absent stays as it is. */
export const updateBody = hostConfig
  .pick({
    CpuShares: true,
    Memory: true,
    NanoCpus: true,
    CgroupParent: true,
    BlkioWeight: true,
    BlkioWeightDevice: true,
    BlkioDeviceReadBps: true,
    BlkioDeviceWriteBps: true,
    BlkioDeviceReadIOps: true,
    BlkioDeviceWriteIOps: true,
    CpuPeriod: true,
    CpuQuota: true,
    CpuRealtimePeriod: true,
    CpuRealtimeRuntime: true,
    CpusetCpus: true,
    CpusetMems: true,
    MemoryReservation: true,
    MemorySwap: true,
    MemorySwappiness: true,
    OomKillDisable: true,
    PidsLimit: true,
  })
  .extend({ RestartPolicy: z.object({ Name: text, MaximumRetryCount: integer }).nullish() });
export type UpdateBody = z.output<typeof updateBody>;

/** What is asked of a container's place in one network. */
export const endpointBody = z.object({
  Aliases: texts,
  Links: texts,
  MacAddress: z.string().optional(),
  IPAMConfig: z
    .object({
      IPv4Address: z.string().optional(),
      IPv6Address: z.string().optional(),
      LinkLocalIPs: z.array(z.string()).optional(),
    })
    .nullish()
    .transform((value) => value ?? null),
  DriverOpts: z
    .record(z.string(), z.string())
    .nullish()
    .transform((value) => value ?? null),
  GwPriority: integer,
});
export type EndpointBody = z.output<typeof endpointBody>;

const emptyHostConfig = hostConfig.parse({});

/** Settings of the host that clients of long ago put beside the others; those in `HostConfig` win, as with dockerd. */
function moveLegacyMembers(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { Memory, MemorySwap, CpuShares, Cpuset: CpusetCpus, ...rest } = body as Record<string, unknown>;
  const given = Object.entries({ Memory, MemorySwap, CpuShares, CpusetCpus }).filter(([, value]) => value);
  if (given.length === 0) return body;
  const own = Object.entries((rest.HostConfig as object | null | undefined) ?? {}).filter(
    ([, value]) => value,
  );
  return { ...rest, HostConfig: { ...Object.fromEntries(given), ...Object.fromEntries(own) } };
}

const wholeCreateBody = containerConfig.extend({
  HostConfig: hostConfig.nullish().transform((value) => value ?? emptyHostConfig),
  NetworkingConfig: z
    .object({
      EndpointsConfig: z
        .record(z.string(), endpointBody.nullable())
        .nullish()
        .transform((value) => value ?? {}),
    })
    .nullish()
    .transform((value) => value ?? { EndpointsConfig: {} }),
});
/** Throws when nothing is said of the container. */
export const createBody = z.preprocess((body, context) => {
  const own = Object.keys(body ?? {}).filter((name) => name !== 'HostConfig' && name !== 'NetworkingConfig');
  if (own.length > 0) return moveLegacyMembers(body);
  context.addIssue({ code: 'custom', message: 'config cannot be empty in order to create a container' });
  return z.NEVER;
}, wholeCreateBody);
export type CreateBody = z.output<typeof createBody>;

export const execBody = z.object({
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  DetachKeys: text,
  Tty: flag,
  Env: texts,
  Cmd: texts,
  Privileged: flag,
  User: text,
  WorkingDir: text,
  ConsoleSize: z.tuple([z.number().int(), z.number().int()]).nullish(),
});
export type ExecBody = z.output<typeof execBody>;

export const execStartBody = z.object({
  Detach: flag,
  Tty: flag,
  ConsoleSize: z.tuple([z.number().int(), z.number().int()]).nullish(),
});
