import { join } from 'node:path';
import type { Container } from '../containers/container.ts';
import type { ContainerRecord, RecordedMount } from '../containers/container-record.ts';
import { commandOf } from '../containers/create-config.ts';
import { legacyLinks } from '../containers/links.ts';
import { isLive, type State } from '../containers/state.ts';
import { shortId } from '../ids.ts';
import { isPredefined } from '../network/network.ts';
import type { EndpointSettings, SandboxSettings } from '../network/network-manager.ts';
import { defaultShmBytes } from '../runtime/spec/mounts.ts';
import { maskedPaths, readonlyPaths } from '../runtime/spec/paths.ts';
import type { HostConfig } from '../schema/container.ts';

/** What a client may read of limits that nobody set, or that this engine does not have. */
const withoutLimits = {
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  DeviceRequests: null,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
};

const never = '0001-01-01T00:00:00Z';

/** `GET /containers/{id}/json`. */
export function containerView(
  container: Container,
  from: {
    readonly sandbox: SandboxSettings | null;
    readonly execIds: readonly string[];
    readonly apiMinor: number;
    readonly size: { readonly rw: number; readonly rootfs: number } | null;
  },
): object {
  const { record, directory } = container;
  const { config, hostConfig } = record;
  const [path = '', ...args] = commandOf(config);
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: path,
    Args: args,
    State: { ...stateView(record.state), ...(record.health ? { Health: record.health } : {}) },
    Image: record.imageId,
    ResolvConfPath: join(directory, 'resolv.conf'),
    HostnamePath: join(directory, 'hostname'),
    HostsPath: join(directory, 'hosts'),
    LogPath: hostConfig.LogConfig.Type === 'json-file' ? container.log?.file : '',
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: from.execIds.length > 0 ? from.execIds : null,
    HostConfig: {
      ...withoutLimits,
      ...hostConfig,
      CgroupnsMode: hostConfig.CgroupnsMode || 'private',
      NetworkMode: networkMode(hostConfig),
      Links: linkPaths(record),
      IpcMode: hostConfig.IpcMode || 'private',
      ShmSize: hostConfig.ShmSize || defaultShmBytes,
      Runtime: hostConfig.Runtime || 'crun',
      KernelMemoryTCP: hostConfig.KernelMemoryTCP || undefined,
      MaskedPaths: hostConfig.MaskedPaths ?? (hostConfig.Privileged ? null : maskedPaths),
      ReadonlyPaths: hostConfig.ReadonlyPaths ?? (hostConfig.Privileged ? null : readonlyPaths),
    },
    GraphDriver: { Name: 'overlay2', Data: {} },
    ...(from.size ? { SizeRw: from.size.rw, SizeRootFs: from.size.rootfs } : {}),
    Mounts: mountViews(record),
    Config: {
      ...config,
      ExposedPorts: config.ExposedPorts.length > 0 ? asSet(config.ExposedPorts) : undefined,
      Volumes: config.Volumes.length > 0 ? asSet(config.Volumes) : null,
      Env: config.Env ?? [],
      OnBuild: config.OnBuild,
      ArgsEscaped: config.ArgsEscaped || undefined,
      StopSignal: config.StopSignal || undefined,
      StopTimeout: config.StopTimeout ?? undefined,
      MacAddress: config.MacAddress || record.endpoints[networkMode(hostConfig)]?.MacAddress || undefined,
      Healthcheck: config.Healthcheck ?? undefined,
      Shell: config.Shell ?? undefined,
    },
    NetworkSettings: networkSettings(record, from),
  };
}

export function stateView(state: State): object {
  const live = isLive(state);
  const exit = live || state.status === 'created' ? null : state;
  return {
    Status: state.status,
    Running: live || state.status === 'restarting',
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: exit?.oomKilled ?? false,
    Dead: false,
    Pid: live ? state.pid : 0,
    ExitCode: live ? 0 : state.exitCode,
    Error: live ? '' : state.error,
    StartedAt: live ? state.startedAt : (exit?.startedAt ?? never),
    FinishedAt: exit?.finishedAt ?? never,
  };
}

function networkSettings(
  record: ContainerRecord,
  { sandbox, apiMinor }: { readonly sandbox: SandboxSettings | null; readonly apiMinor: number },
): object {
  const planned = sandbox?.networks ?? plannedNetworks(record);
  const networks = apiMinor < 45 ? withOwnAliases(planned, record) : planned;
  const bridge = networks.bridge as EndpointSettings | undefined;
  return {
    Bridge: '',
    SandboxID: sandbox ? record.id : '',
    SandboxKey: '',
    Ports: sandbox?.ports ?? {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? '',
    Gateway: bridge?.Gateway ?? '',
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? '',
    MacAddress: bridge?.MacAddress ?? '',
    Networks: networks,
  };
}

/** In its own networks a container has its id and its host name as aliases; before 1.45 they were told as such. */
function withOwnAliases(
  networks: Readonly<Record<string, unknown>>,
  { id, config }: ContainerRecord,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(networks).map(([name, settings]) => {
      if (isPredefined(name)) return [name, settings];
      const { Aliases } = settings as Pick<EndpointSettings, 'Aliases'>;
      return [
        name,
        {
          ...(settings as object),
          Aliases: [...new Set([...(Aliases ?? []), shortId(id), config.Hostname])],
        },
      ];
    }),
  );
}

/** What a container that does not run would be connected to. */
export function plannedNetworks({
  hostConfig,
  endpoints,
}: ContainerRecord): Readonly<Record<string, unknown>> {
  const mode = networkMode(hostConfig);
  if (mode.startsWith('container:')) return {};
  const memberships = Object.keys(endpoints).length > 0 ? endpoints : { [mode]: {} };
  return Object.fromEntries(
    Object.entries(memberships).map(([name, asked]) => [
      name,
      {
        IPAMConfig: asked.IPAMConfig ?? null,
        Links: asked.Links ?? null,
        Aliases: asked.Aliases ?? null,
        MacAddress: asked.MacAddress ?? '',
        DriverOpts: asked.DriverOpts ?? null,
        GwPriority: asked.GwPriority ?? 0,
        NetworkID: '',
        EndpointID: '',
        Gateway: '',
        IPAddress: '',
        IPPrefixLen: 0,
        IPv6Gateway: '',
        GlobalIPv6Address: '',
        GlobalIPv6PrefixLen: 0,
        DNSNames: null,
      },
    ]),
  );
}

/** `/db:/web/db`, as dockerd shows links. */
function linkPaths({ name, hostConfig }: ContainerRecord): string[] | null {
  const links = legacyLinks(hostConfig).map(({ target, alias }) => `/${target}:/${name}/${alias}`);
  return links.length > 0 ? links : null;
}

/** `default` is a word of clients; what they mean is the bridge. */
export function networkMode({ NetworkMode }: HostConfig): string {
  return ['', 'default'].includes(NetworkMode) ? 'bridge' : NetworkMode;
}

/** As dockerd does, those of `--tmpfs` are told in HostConfig only, those of `--mount` here too. */
export function mountViews({ mounts, hostConfig }: ContainerRecord): object[] {
  const asked = new Set(hostConfig.Mounts.map(({ Target }) => Target));
  return mounts.filter(({ type, destination }) => type !== 'tmpfs' || asked.has(destination)).map(mountView);
}

function mountView(mount: RecordedMount): object {
  return {
    Type: mount.type,
    ...(mount.type === 'volume' ? { Name: mount.name } : {}),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.type === 'volume' ? { Driver: 'local' } : {}),
    Mode: mount.mode,
    RW: !mount.readonly,
    Propagation: mount.propagation,
  };
}

function asSet(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
