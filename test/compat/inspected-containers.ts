/** Bodies of `POST /containers/create` whose inspection must be as dockerd's; `start` when it is to run. */
export interface InspectedContainer {
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly start?: true;
}

const image = { Image: 'busybox', Cmd: ['sleep', '1000'] };

export const inspectedContainers: readonly InspectedContainer[] = [
  { name: 'plain', body: image },
  { name: 'running', body: { ...image, Hostname: 'here' }, start: true },
  {
    name: 'interactive',
    body: {
      ...image,
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Entrypoint: ['echo'],
      User: '99',
      WorkingDir: '/tmp',
      Env: ['A=1'],
      Labels: { a: 'b' },
      StopSignal: 'SIGINT',
      StopTimeout: 3,
      Volumes: { '/anonymous': {} },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9, Timeout: 2e9, Retries: 3, StartPeriod: 4e9 },
    },
  },
  {
    name: 'limited',
    body: {
      ...image,
      HostConfig: {
        Memory: 64 << 20,
        MemorySwap: 128 << 20,
        MemoryReservation: 32 << 20,
        NanoCpus: 5e8,
        CpuShares: 512,
        CpusetCpus: '0',
        PidsLimit: 50,
        OomScoreAdj: 100,
        ShmSize: 1 << 20,
        Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
        RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
      },
    },
  },
  {
    name: 'privileged',
    body: {
      ...image,
      HostConfig: {
        Privileged: true,
        NetworkMode: 'host',
        PidMode: 'host',
        IpcMode: 'host',
        UTSMode: 'host',
      },
    },
  },
  {
    name: 'mounted',
    start: true,
    body: {
      ...image,
      HostConfig: {
        Binds: ['named:/named', '/tmp:/host:ro'],
        Mounts: [
          { Type: 'tmpfs', Target: '/fast', TmpfsOptions: { SizeBytes: 1 << 20, Mode: 0o700 } },
          { Type: 'volume', Source: 'other', Target: '/other', VolumeOptions: { NoCopy: true } },
        ],
        Tmpfs: { '/run': 'size=1m' },
        ReadonlyRootfs: true,
        CapAdd: ['NET_ADMIN'],
        CapDrop: ['MKNOD'],
        SecurityOpt: ['no-new-privileges'],
        Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/other', CgroupPermissions: 'rwm' }],
        GroupAdd: ['9'],
        Sysctls: { 'net.ipv4.ip_forward': '1' },
        Init: true,
      },
    },
  },
  {
    name: 'networked',
    start: true,
    body: {
      ...image,
      ExposedPorts: { '80/tcp': {}, '81/tcp': {} },
      HostConfig: {
        NetworkMode: 'net',
        PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18030' }] },
        Dns: ['9.9.9.9'],
        DnsSearch: ['example.test'],
        DnsOptions: ['ndots:2'],
        ExtraHosts: ['up:1.2.3.4'],
      },
      NetworkingConfig: {
        EndpointsConfig: { net: { Aliases: ['other'], IPAMConfig: { IPv4Address: '10.66.5.7' } } },
      },
    },
  },
];
