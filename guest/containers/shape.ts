import { join } from 'node:path';
import type { ImageResolver } from '../images/image.ts';
import type { EndpointSettings, SandboxSettings } from '../network/network-manager.ts';
import { defaultShmBytes } from '../runtime/spec/mounts.ts';
import { maskedPaths, readonlyPaths } from '../runtime/spec/paths.ts';
import type { Container } from './container.ts';
import type { ContainerRecord, RecordedMount } from './container-record.ts';
import { commandOf } from './create-config.ts';
import { isLive, type State } from './state.ts';

const never = '0001-01-01T00:00:00Z';

/** `GET /containers/{id}/json`, API 1.50. */
export function inspectShape(
  container: Container,
  from: {
    readonly sandbox: SandboxSettings | null;
    readonly execIds: readonly string[];
    readonly size: { readonly rw: number; readonly rootfs: number } | null;
    readonly dataRoot: string;
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
    State: stateShape(record.state),
    Image: record.imageId,
    ResolvConfPath: join(directory, 'resolv.conf'),
    HostnamePath: join(directory, 'hostname'),
    HostsPath: join(directory, 'hosts'),
    LogPath: container.log?.file ?? '',
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: from.execIds.length > 0 ? from.execIds : null,
    HostConfig: {
      ...hostConfig,
      CgroupnsMode: hostConfig.CgroupnsMode || 'private',
      NetworkMode: hostConfig.NetworkMode || 'default',
      IpcMode: hostConfig.IpcMode || 'private',
      ShmSize: hostConfig.ShmSize || defaultShmBytes,
      Runtime: hostConfig.Runtime || 'crun',
      MaskedPaths: hostConfig.Privileged ? null : maskedPaths,
      ReadonlyPaths: hostConfig.Privileged ? null : readonlyPaths,
    },
    GraphDriver: { Name: 'overlay2', Data: {} },
    ...(from.size ? { SizeRw: from.size.rw, SizeRootFs: from.size.rootfs } : {}),
    Mounts: record.mounts.filter(({ type }) => type !== 'tmpfs').map(mountShape),
    Config: {
      ...config,
      ExposedPorts: asSet(config.ExposedPorts),
      Volumes: config.Volumes.length > 0 ? asSet(config.Volumes) : null,
      Env: config.Env ?? [],
      OnBuild: null,
      StopSignal: config.StopSignal || undefined,
      StopTimeout: config.StopTimeout ?? undefined,
      Healthcheck: config.Healthcheck ?? undefined,
      Shell: config.Shell ?? undefined,
    },
    NetworkSettings: networkSettings(record, from.sandbox),
  };
}

export function stateShape(state: State): object {
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

function networkSettings(record: ContainerRecord, sandbox: SandboxSettings | null): object {
  const networks = sandbox?.networks ?? plannedNetworks(record);
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

/** What a container that does not run would be connected to. */
function plannedNetworks({ hostConfig, endpoints }: ContainerRecord): Readonly<Record<string, unknown>> {
  const mode = hostConfig.NetworkMode || 'default';
  if (mode.startsWith('container:')) return {};
  const names = new Set([mode === 'default' ? 'bridge' : mode, ...Object.keys(endpoints)]);
  names.delete('default');
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      {
        IPAMConfig: endpoints[name]?.IPAMConfig ?? null,
        Links: null,
        Aliases: endpoints[name]?.Aliases ?? null,
        MacAddress: '',
        DriverOpts: endpoints[name]?.DriverOpts ?? null,
        GwPriority: 0,
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

export function mountShape(mount: RecordedMount): object {
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

/** One row of `GET /containers/json`. */
export function summaryShape(
  { record }: Container,
  from: {
    readonly sandbox: SandboxSettings | null;
    readonly images: ImageResolver;
    readonly size: { readonly rw: number; readonly rootfs: number } | null;
    readonly now: Date;
  },
): object {
  const { config, hostConfig, state } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: config.Image,
    ImageID: record.imageId,
    Command: commandOf(config).join(' '),
    Created: Math.floor(Date.parse(record.createdAt) / 1000),
    Ports: portRows(config.ExposedPorts, from.sandbox),
    ...(from.size ? { SizeRw: from.size.rw, SizeRootFs: from.size.rootfs } : {}),
    Labels: config.Labels,
    State: state.status,
    Status: statusText(state, from.now),
    HostConfig: { NetworkMode: hostConfig.NetworkMode || 'default' },
    NetworkSettings: { Networks: from.sandbox?.networks ?? plannedNetworks(record) },
    Mounts: record.mounts.filter(({ type }) => type !== 'tmpfs').map(mountShape),
  };
}

function portRows(exposed: readonly string[], sandbox: SandboxSettings | null): object[] {
  if (!sandbox) return [];
  const published = Object.entries(sandbox.ports);
  const names = new Set([...exposed, ...published.map(([name]) => name)]);
  return [...names].flatMap((name) => {
    const [port, type = 'tcp'] = name.split('/');
    const bindings = sandbox.ports[name] ?? [];
    const row = { PrivatePort: Number(port), Type: type };
    if (bindings.length === 0) return [row];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, ...row, PublicPort: Number(HostPort) }));
  });
}

/** `Up 3 minutes`, `Exited (0) 2 hours ago`. */
export function statusText(state: State, now: Date): string {
  const since = (time: string) => humanDuration(now.getTime() - Date.parse(time));
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${since(state.startedAt)}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}

/** go-units HumanDuration, whose words clients show. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}
