import { pick } from '../helpers/random.ts';

type Random = (below: number) => number;

export interface ApiRequest {
  readonly line: string;
  readonly body: string | Uint8Array | undefined;
}

/** Every kind of endpoint; `*` stands for a name. Those that wait for ever are called elsewhere. */
const endpoints: readonly string[] = [
  ...['GET /_ping', 'GET /version', 'GET /info', 'GET /system/df', 'GET /events', 'POST /auth'],
  ...['GET /containers/json', 'POST /containers/create', 'POST /containers/prune', 'GET /containers/*/json'],
  ...[
    'POST /containers/*/start',
    'POST /containers/*/stop',
    'POST /containers/*/kill',
    'POST /containers/*/restart',
  ],
  ...['POST /containers/*/pause', 'POST /containers/*/unpause', 'POST /containers/*/rename'],
  ...[
    'POST /containers/*/update',
    'POST /containers/*/resize',
    'POST /containers/*/exec',
    'GET /containers/*/top',
  ],
  ...[
    'GET /containers/*/logs',
    'GET /containers/*/stats',
    'GET /containers/*/changes',
    'GET /containers/*/export',
  ],
  ...[
    'GET /containers/*/archive',
    'HEAD /containers/*/archive',
    'PUT /containers/*/archive',
    'DELETE /containers/*',
  ],
  ...['GET /exec/*/json', 'POST /exec/*/start', 'POST /exec/*/resize', 'POST /commit'],
  ...[
    'GET /images/json',
    'GET /images/*/json',
    'GET /images/*/history',
    'GET /images/*/get',
    'GET /images/get',
  ],
  ...[
    'POST /images/load',
    'POST /images/create',
    'POST /images/prune',
    'POST /images/*/tag',
    'POST /images/*/push',
  ],
  ...[
    'DELETE /images/*',
    'GET /networks',
    'POST /networks/create',
    'POST /networks/prune',
    'GET /networks/*',
  ],
  ...['POST /networks/*/connect', 'POST /networks/*/disconnect', 'DELETE /networks/*', 'GET /volumes'],
  ...['POST /volumes/create', 'POST /volumes/prune', 'GET /volumes/*', 'DELETE /volumes/*'],
  ...[
    'GET /swarm',
    'GET /plugins',
    'POST /build',
    'POST /build/prune',
    'GET /distribution/*/json',
    'GET /nothing',
  ],
];

const names = [
  'web',
  'busybox',
  'busybox:latest',
  'bridge',
  'net',
  'data',
  'a',
  '',
  '..',
  '%00',
  '%2e%2e%2f',
  '%',
  '💥',
];
const long = 'n'.repeat(5000);
const words: readonly unknown[] = [
  ...[
    '',
    'a',
    '0',
    '-1',
    'true',
    'web',
    'data:/d',
    '80/tcp',
    '10.9.8.0/24',
    'linux/arm64',
    '\0',
    '💥',
    long,
    '__proto__',
  ],
  ...[
    0,
    1,
    -1,
    1e308,
    Number.MAX_SAFE_INTEGER,
    0.5,
    true,
    false,
    null,
    [],
    {},
    ['a'],
    [null],
    [[]],
    { a: 'b' },
    { a: null },
  ],
];
const parameters = [
  ...[
    'all',
    'limit',
    'size',
    'filters',
    'name',
    'platform',
    'condition',
    'signal',
    't',
    'h',
    'w',
    'follow',
    'stdout',
  ],
  ...[
    'stderr',
    'since',
    'until',
    'tail',
    'timestamps',
    'details',
    'stream',
    'one-shot',
    'ps_args',
    'path',
    'force',
    'v',
  ],
  ...[
    'noOverwriteDirNonDir',
    'copyUIDGID',
    'container',
    'repo',
    'tag',
    'changes',
    'pause',
    'comment',
    'names',
  ],
  ...[
    'manifests',
    'shared-size',
    'digests',
    'platforms',
    'fromSrc',
    'fromImage',
    'quiet',
    'type',
    'verbose',
    'scope',
  ],
];
const filters = [
  'label',
  'name',
  'id',
  'status',
  'before',
  'since',
  'until',
  'dangling',
  'reference',
  'type',
  'event',
  'x',
];

/** Bodies that are right, to be spoilt in places. Nothing in them reaches outside of the engine. */
const bodies: readonly object[] = [
  {
    ...{ Image: 'busybox', Cmd: ['true'], Env: ['A=b'], Labels: { a: 'b' }, ExposedPorts: { '80/tcp': {} } },
    ...{
      Volumes: { '/v': {} },
      Healthcheck: { Test: ['CMD', 'true'] },
      StopSignal: 'SIGTERM',
      StopTimeout: 1,
    },
    HostConfig: {
      ...{
        Binds: ['data:/d:ro'],
        NetworkMode: 'net',
        RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 },
      },
      ...{ Memory: 67108864, CpuShares: 512, PidsLimit: 10, Tmpfs: { '/t': 'size=1m' }, CapAdd: ['NET_RAW'] },
      ...{ Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 10 }], LogConfig: { Type: 'json-file', Config: {} } },
      Mounts: [
        { Type: 'volume', Source: 'data', Target: '/m', VolumeOptions: { Subpath: 'x', Labels: { a: 'b' } } },
      ],
    },
    NetworkingConfig: {
      EndpointsConfig: { net: { Aliases: ['x'], IPAMConfig: { IPv4Address: '10.9.8.7' } } },
    },
  },
  { AttachStdout: true, Cmd: ['true'], User: '0', WorkingDir: '/', Env: [], DetachKeys: 'ctrl-p' },
  {
    Name: 'net',
    Driver: 'bridge',
    Internal: true,
    IPAM: { Config: [{ Subnet: '10.9.8.0/24' }] },
    Options: {},
    Labels: {},
  },
  { Name: 'data', Driver: 'local', DriverOpts: { type: 'tmpfs', device: 'tmpfs' }, Labels: { a: 'b' } },
  { Container: 'web', Force: true, EndpointConfig: { Aliases: ['x'] } },
  { Memory: 1e8, RestartPolicy: { Name: 'no' }, Detach: true, Tty: false },
];

/** A request that an honest client might have sent before something went wrong with it. */
export function anyRequest(random: Random): ApiRequest {
  const [method, path] = pick(random, endpoints).split(' ') as [string, string];
  const named = path.replace('*', () => encodeName(pick(random, names)));
  const version = pick(random, ['', '', '/v1.50', '/v1.41', '/v1.24', '/v9.9', '/v']);
  const query = Array.from({ length: random(4) }, () => anyParameter(random)).join('&');
  // Of a stream only what is there now.
  const bounded = /\/(?:events|logs|stats)$/.test(path) ? '&until=1&follow=0&stream=0' : '';
  const line = `${method} ${version}${named}?${query}${bounded}`;
  const hasBody = method === 'POST' || method === 'PUT';
  return { line, body: hasBody ? anyBody(random) : undefined };
}

function encodeName(name: string): string {
  return name.startsWith('%') ? name : encodeURIComponent(name);
}

function anyParameter(random: Random): string {
  const name = pick(random, parameters);
  const value = name === 'filters' ? anyFilters(random) : String(pick(random, words));
  return `${name}=${encodeURIComponent(value)}`;
}

function anyFilters(random: Random): string {
  const some = () => Array.from({ length: random(3) }, () => pick(random, words));
  return JSON.stringify(
    Object.fromEntries(Array.from({ length: random(3) }, () => [pick(random, filters), some()])),
  );
}

function anyBody(random: Random): string | Uint8Array {
  const text = JSON.stringify(spoil(structuredClone(pick(random, bodies)), random));
  return pick(random, [
    () => text,
    () => text,
    () => text,
    () => text.slice(0, random(text.length)),
    () => Uint8Array.from({ length: random(2000) }, () => random(256)),
  ])();
}

/** Puts something else in one to three places, however deep. */
function spoil(value: object, random: Random): object {
  for (let n = random(3); n >= 0; n--) {
    let at = value as Record<string, unknown>;
    for (;;) {
      const key = pick(random, Object.keys(at));
      const below = at[key];
      if (typeof below === 'object' && below !== null && Object.keys(below).length > 0 && random(4) > 0)
        at = below as Record<string, unknown>;
      else {
        at[key] = structuredClone(pick(random, words));
        break;
      }
    }
  }
  return value;
}
