import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkRequest } from '../../../guest/containers/check-request.ts';
import { mountRequests } from '../../../guest/containers/mount-requests.ts';
import { readHostSystem } from '../../../guest/host/system.ts';
import { createBody } from '../../../guest/schema/container.ts';

type Answer =
  | { readonly fate: 'honoured'; readonly example: unknown }
  | { readonly fate: 'refused'; readonly example: unknown; readonly words: RegExp }
  /** Nothing happens, and the client is told; with what else the request needs for it. */
  | { readonly fate: 'warned'; readonly example: unknown; readonly words: RegExp }
  /** For the client's eyes or for other programs: kept and shown, nothing to be done. */
  | { readonly fate: 'kept'; readonly example: unknown; readonly why: string };

const honoured = (example: unknown): Answer => ({ fate: 'honoured', example });
const refused = (example: unknown, words: RegExp): Answer => ({ fate: 'refused', example, words });
const warned = (example: unknown, words: RegExp): Answer => ({ fate: 'warned', example, words });
const kept = (example: unknown, why: string): Answer => ({ fate: 'kept', example, why });

/** Every field of the definitions of Engine API 1.50 that a create body is made of, and what becomes of it. */
const table: Readonly<Record<string, Readonly<Record<string, Answer>>>> = {
  ContainerConfig: {
    Hostname: honoured('a'),
    Domainname: honoured('a'),
    User: honoured('1:1'),
    AttachStdin: kept(true, 'the client attaches by a request of its own'),
    AttachStdout: kept(true, 'the client attaches by a request of its own'),
    AttachStderr: kept(true, 'the client attaches by a request of its own'),
    ExposedPorts: honoured({ '80/tcp': {} }),
    Tty: honoured(true),
    OpenStdin: honoured(true),
    StdinOnce: honoured(true),
    Env: honoured(['A=1']),
    Cmd: honoured(['a']),
    Healthcheck: honoured({ Test: ['CMD', 'a'], Interval: 1e9, Timeout: 1e9, Retries: 1 }),
    ArgsEscaped: refused(true, /ArgsEscaped is for Windows/),
    Image: honoured('a'),
    Volumes: honoured({ '/a': {} }),
    WorkingDir: honoured('/a'),
    Entrypoint: honoured(['a']),
    NetworkDisabled: honoured(true),
    MacAddress: honoured('02:00:00:00:00:01'),
    OnBuild: kept(['RUN a'], 'for images that are committed'),
    Labels: honoured({ a: 'b' }),
    StopSignal: honoured('SIGINT'),
    StopTimeout: honoured(3),
    Shell: honoured(['/bin/a']),
  },
  Resources: {
    CpuShares: honoured(5),
    Memory: honoured(2 ** 24),
    CgroupParent: honoured('/a'),
    BlkioWeight: honoured(300),
    BlkioWeightDevice: honoured([{ Path: '/dev/a', Weight: 300 }]),
    BlkioDeviceReadBps: honoured([{ Path: '/dev/a', Rate: 300 }]),
    BlkioDeviceWriteBps: honoured([{ Path: '/dev/a', Rate: 300 }]),
    BlkioDeviceReadIOps: honoured([{ Path: '/dev/a', Rate: 300 }]),
    BlkioDeviceWriteIOps: honoured([{ Path: '/dev/a', Rate: 300 }]),
    CpuPeriod: honoured(10_000),
    CpuQuota: honoured(10_000),
    CpuRealtimePeriod: refused(5, /kernel does not support CPU real-time scheduler/),
    CpuRealtimeRuntime: refused(5, /kernel does not support CPU real-time scheduler/),
    CpusetCpus: honoured('0'),
    CpusetMems: honoured('0'),
    Devices: honoured([{ PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'r' }]),
    DeviceCgroupRules: honoured(['c 1:3 r']),
    DeviceRequests: refused([{ Driver: '', Capabilities: [['gpu']] }], /could not select device driver/),
    KernelMemoryTCP: refused(5, /not supported by this engine: KernelMemoryTCP/),
    MemoryReservation: honoured(2 ** 24),
    MemorySwap: honoured(-1),
    // By what cgroup v2 has; with v1 they are honoured.
    MemorySwappiness: warned(50, /Memory swappiness discarded/),
    NanoCpus: honoured(5e8),
    OomKillDisable: warned(true, /OomKillDisable discarded/),
    Init: honoured(false),
    PidsLimit: honoured(5),
    Ulimits: honoured([{ Name: 'core', Soft: 1, Hard: 1 }]),
    CpuCount: refused(1, /for Windows; use --cpus/),
    CpuPercent: refused(1, /for Windows; use --cpus/),
    IOMaximumIOps: refused(1, /Invalid QoS settings/),
    IOMaximumBandwidth: refused(1, /Invalid QoS settings/),
  },
  HostConfig: {
    Binds: honoured(['/a:/b']),
    ContainerIDFile: kept('/a', 'the client writes that file'),
    LogConfig: honoured({ Type: 'none', Config: {} }),
    NetworkMode: honoured('none'),
    PortBindings: honoured({ '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] }),
    RestartPolicy: honoured({ Name: 'always', MaximumRetryCount: 0 }),
    AutoRemove: honoured(true),
    VolumeDriver: kept('nfs', 'it makes volumes, and this container has none'),
    VolumesFrom: honoured(['a']),
    Mounts: honoured([{ Type: 'tmpfs', Target: '/a' }]),
    ConsoleSize: honoured([24, 80]),
    Annotations: honoured({ a: 'b' }),
    CapAdd: honoured(['NET_ADMIN']),
    CapDrop: honoured(['ALL']),
    CgroupnsMode: honoured('host'),
    Dns: honoured(['192.0.2.1']),
    DnsOptions: honoured(['ndots:1']),
    DnsSearch: honoured(['a']),
    ExtraHosts: honoured(['a:192.0.2.1']),
    GroupAdd: honoured(['a']),
    IpcMode: honoured('shareable'),
    Cgroup: refused('a', /not supported by this engine: Cgroup/),
    Links: honoured(['a:b']),
    OomScoreAdj: honoured(5),
    PidMode: honoured('host'),
    Privileged: honoured(true),
    PublishAllPorts: honoured(true),
    ReadonlyRootfs: honoured(true),
    SecurityOpt: honoured(['no-new-privileges']),
    StorageOpt: refused({ size: '1g' }, /not supported by this engine: --storage-opt/),
    Tmpfs: honoured({ '/a': '' }),
    UTSMode: honoured('host'),
    UsernsMode: refused('private', /this engine maps no users/),
    ShmSize: honoured(2 ** 20),
    Sysctls: honoured({ 'net.core.somaxconn': '5' }),
    Runtime: refused('runsc', /unknown or invalid runtime name: runsc/),
    Isolation: refused('hyperv', /Invalid isolation: "hyperv"/),
    MaskedPaths: honoured(['/proc/a']),
    ReadonlyPaths: honoured(['/proc/a']),
  },
};
/** How many the published definition has: a field left out above is found by its number. */
const published = { ContainerConfig: 25, Resources: 31, HostConfig: 39 };

const system = { ...readHostSystem(), cgroupVersion: '2', knowsIoWeight: () => true } as const;
const bodyWith = (definition: string, field: string, value: unknown) =>
  definition === 'ContainerConfig'
    ? { [field]: value }
    : { Image: 'busybox', HostConfig: { [field]: value } };
const check = (body: object) => {
  const { HostConfig, NetworkingConfig: _, ...config } = createBody.parse(body);
  mountRequests(config, HostConfig);
  return { config, host: HostConfig, warnings: checkRequest(config, HostConfig, system) };
};

t.test('the table names every field of the published definition', async (t) => {
  for (const [definition, fields] of Object.entries(table))
    t.equal(Object.keys(fields).length, published[definition as keyof typeof published], definition);
});

t.test('every field of a create request is honoured, refused, or warned of', async (t) => {
  for (const [definition, fields] of Object.entries(table)) {
    for (const [field, answer] of Object.entries(fields)) {
      const body = bodyWith(definition, field, answer.example);
      const title = `${definition}.${field} is ${answer.fate}`;
      if (answer.fate === 'refused') t.throws(() => check(body), { message: answer.words }, title);
      else if (answer.fate === 'warned') t.match(check(body).warnings.join(), answer.words, title);
      else {
        const { config, host, warnings } = check(body);
        const now = (definition === 'ContainerConfig' ? config : host) as Readonly<Record<string, unknown>>;
        t.same(warnings, [], title);
        t.match(JSON.stringify(now[field]), shown(answer.example), `${title}, and comes through`);
      }
    }
  }
});

t.test('what is honoured is read somewhere', async (t) => {
  const folders = ['containers', 'api', 'runtime', 'exec', 'network'].map((name) => join('guest', name));
  const text = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))))
    .filter((path) => path.endsWith('.ts') && !path.includes(join('api', 'schema')))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  for (const fields of Object.values(table)) {
    for (const [field, { fate }] of Object.entries(fields))
      if (fate === 'honoured') t.match(text, new RegExp(`\\b${field}\\b`), field);
  }
});

/** The example's values, in whatever shape the parsed request keeps them. */
function shown(example: unknown): RegExp {
  const leaves: string[] = [];
  JSON.stringify(example, (key, value: unknown) => {
    if (/^\/|\/tcp$/.test(key)) leaves.push(key);
    if (typeof value !== 'object') leaves.push(String(value));
    return value;
  });
  const escaped = leaves.map((leaf) => leaf.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(escaped.join('.*') || '^\\{\\}$');
}
