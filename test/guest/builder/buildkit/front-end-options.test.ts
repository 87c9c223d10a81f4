import t from 'tap';
import { readOptions } from '../../../../guest/builder/buildkit/front-end-options.ts';

const read = (options: Readonly<Record<string, string>>) => readOptions(new Map(Object.entries(options)));

t.test('what buildx sends becomes a request', (t) => {
  const { options, places, targets } = read({
    filename: 'sub/Dockerfile',
    target: 'one',
    'build-arg:A': '1',
    'label:l': 'v',
    'no-cache': '',
    platform: 'linux/amd64',
    'image-resolve-mode': 'pull',
    'force-network-mode': 'none',
    'add-hosts': 'a=1.2.3.4,b=::1',
    'shm-size': '1024',
    ulimit: 'nofile=1:2,core=0',
    'context:more': 'local:more',
    'cache-imports': '[{"Type":"registry","Attrs":{"ref":"busybox"}}]',
    'vcs:revision': 'abc',
    'local-sessionid:context': 'x',
    'sharedkey:localdir:more': 'more',
    memory: '67108864',
    memswap: '-1',
    cpuquota: '50000',
    cpusetcpus: '0',
  });
  t.match(options, {
    target: 'one',
    buildArgs: { A: '1' },
    labels: { l: 'v' },
    noCache: true,
    pull: true,
    network: 'none',
    extraHosts: ['a:1.2.3.4', 'b:::1'],
    shmBytes: 1024,
    ulimits: [
      { name: 'nofile', soft: 1, hard: 2 },
      { name: 'core', soft: 0, hard: 0 },
    ],
    cacheFrom: ['busybox'],
    limits: { memoryBytes: 67_108_864, memorySwapBytes: -1, cpuQuotaUs: 50_000, cpusetCpus: '0' },
  });
  t.match(targets, { platforms: [{ os: 'linux', architecture: 'amd64' }], isIndex: false });
  t.same([...places.named], [['more', 'local:more']]);
  t.equal(places.filename, 'sub/Dockerfile');
  t.end();
});

t.test('the argument for the name of the container goes before the option', (t) => {
  const argument = 'build-arg:BUILDKIT_SANDBOX_HOSTNAME';
  t.equal(read({ hostname: 'a' }).options.hostname, 'a');
  t.equal(read({ hostname: 'a', [argument]: 'b' }).options.hostname, 'b');
  t.end();
});

t.test('nothing asked for is the default', (t) => {
  const { options, places } = read({});
  t.match(options, { noCache: false, pull: false, network: 'default', buildArgs: {}, cacheFrom: [] });
  t.match(places, { filename: 'Dockerfile', dockerfileDirectory: 'dockerfile', contextDirectory: 'context' });
  t.same(read({ 'no-cache': 'a,b' }).options.noCache, ['a', 'b']);
  t.end();
});

t.test('several platforms make an index, and so does one that is asked for as such', (t) => {
  const targets = (options: Readonly<Record<string, string>>) => read(options).targets;
  t.match(targets({ platform: 'linux/amd64,linux/arm64/v8,arm,aarch64' }), {
    platforms: [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ],
    isIndex: true,
  });
  t.match(targets({ 'multi-platform': 'true' }), { platforms: [], isIndex: true });
  t.match(targets({}), { platforms: [], isIndex: false });
  t.end();
});

const refused: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
  [{ 'attest:provenance': 'mode=min' }, /attestations/],
  [{ requestid: 'frontend.new' }, /--call=new; --call=check, outline, targets/],
  [{ memory: '1g' }, /invalid memory "1g"/],
  [{ 'cache-imports': '[{"Type":"s3"}]' }, /--cache-from type=s3/],
  [{ 'image-resolve-mode': 'often' }, /image-resolve-mode/],
  [{ 'force-network-mode': 'mine' }, /invalid netmode mine/],
  [{ ulimit: 'x' }, /invalid ulimit "x"/],
  [{ ulimit: 'what=1' }, /invalid ulimit type/],
  [{ 'shm-size': '1g' }, /invalid shm-size/],
  [{ surprise: '1' }, /the option "surprise"/],
];

for (const [options, message] of refused)
  t.test(`refused: ${JSON.stringify(options)}`, (t) => {
    t.throws(() => read(options), { message });
    t.end();
  });
