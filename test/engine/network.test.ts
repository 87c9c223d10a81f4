import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run, tryRun } from '../../guest/host/exec.ts';
import { defaultNetworkOptions, openNetworks } from '../../guest/network/index.ts';
import type { Sandbox, SandboxRequest } from '../../guest/network/network-manager.ts';
import { makeNamespace } from '../../guest/network/network-namespace.ts';
import type { NetworkRequest } from '../../guest/network/network-request.ts';
import { openDatabase } from '../../guest/store/database.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) t.plan(0, cannot);
t.setTimeout(300_000);

async function open(t: Test, options: { spareSandboxes?: number; directory?: string } = {}) {
  const directory = options.directory ?? t.testdir({});
  const db = openDatabase(join(directory, 'engine.db'));
  const events = { publish: () => {} };
  const { sandboxes, networks } = await openNetworks(
    db,
    { ...defaultNetworkOptions, spareSandboxes: options.spareSandboxes ?? 0 },
    events,
  );
  await sandboxes.reconcile([]);
  const connected = new Set<string>();
  t.teardown(async () => {
    for (const containerId of connected) await sandboxes.releaseSandbox(containerId);
    await sandboxes.close();
    db.close();
  });
  const connect = (containerId: string, more: Partial<SandboxRequest> = {}) => {
    connected.add(containerId);
    return sandboxes.connectSandbox({
      containerId,
      containerName: `/${containerId}`,
      hostname: containerId,
      mode: 'default',
      endpoints: {},
      portBindings: {},
      exposedPorts: [],
      publishAllPorts: false,
      dns: { servers: [], search: [], options: [] },
      extraHosts: [],
      directory: join(directory, 'containers', containerId),
      ...more,
    });
  };
  return { sandboxes, networks, connect, directory, db };
}

/** Answers every connection with `word`, inside a sandbox. */
async function serve(t: Test, sandbox: Sandbox, port: number, word: string): Promise<ChildProcess> {
  const listen = `socat TCP-LISTEN:${port},fork,reuseaddr SYSTEM:'echo ${word}' & echo ready; wait`;
  const server = spawn('busybox', ['nsenter', `-n${pathOf(sandbox)}`, 'sh', '-c', listen], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  t.teardown(() => process.kill(-server.pid!, 'SIGKILL'));
  await once(server.stdout!, 'data');
  await run('busybox', ['nsenter', `-n${pathOf(sandbox)}`, 'sh', '-c', waitFor(`127.0.0.1:${port}`)]);
  return server;
}

/** socat tries again each tenth of a second, a hundred times at most. */
function waitFor(address: string): string {
  return `socat -u OPEN:/dev/null TCP:${address},retry=100,interval=0.1`;
}

/** What a connection from here, or from inside a namespace, brings; null when it is refused or dropped. */
async function fetch(address: string, path?: string): Promise<string | null> {
  const command = ['socat', '-T1', '-', `TCP:${address},connect-timeout=1`];
  const [file, ...args] = path === undefined ? command : ['busybox', 'nsenter', `-n${path}`, ...command];
  const { exitCode, stdout } = await tryRun(file!, args);
  return exitCode === 0 ? stdout.toString().trim() : null;
}

function pathOf(sandbox: Sandbox): string {
  if (sandbox.namespace.kind !== 'path') throw new Error(`namespace is ${sandbox.namespace.kind}`);
  return sandbox.namespace.path;
}

function addressOf(sandbox: Sandbox): string {
  return sandbox.networks.bridge!.IPAddress;
}

async function links(): Promise<string> {
  return (await run('ip', ['-br', 'link'])).stdout.toString();
}

async function rules(): Promise<string> {
  return (await run('nft', ['list', 'ruleset'])).stdout.toString();
}

t.test('none is a fresh namespace, host the own one', async (t) => {
  const { connect, sandboxes } = await open(t);
  const alone = await connect('alone', { mode: 'none' });
  t.same(alone.namespace, { kind: 'new' });
  t.match(alone.networks, { none: { IPAddress: '', Gateway: '' } });
  const host = await connect('host', { mode: 'host' });
  t.same(host.namespace, { kind: 'host' });
  t.same(Object.keys(sandboxes.inspectSandbox('host')!.networks), ['host']);
  t.equal(sandboxes.inspectSandbox('nobody'), null);
});

t.test('containers on the bridge reach one another and their gateway, and have their files', async (t) => {
  const { connect, directory } = await open(t);
  const web = await connect('web', { extraHosts: ['gate:host-gateway'] });
  const client = await connect('client');
  t.match([addressOf(web), addressOf(client)], ['172.17.0.2', '172.17.0.3']);
  await serve(t, web, 80, 'hello');
  t.equal(await fetch('172.17.0.2:80', pathOf(client)), 'hello');
  t.equal(await fetch('172.17.0.2:80'), 'hello');
  const hosts = await readFile(join(directory, 'containers/web/hosts'), 'utf8');
  t.match(hosts, '172.17.0.1\tgate\n172.17.0.2\tweb\n');
});

t.test('a published port answers at every address of the host, from everywhere', async (t) => {
  const { connect } = await open(t);
  const lan = await neighbour();
  t.teardown(lan.release);
  const web = await connect('web', {
    portBindings: {
      '80/tcp': [{ HostPort: '8080' }],
      '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '8081' }],
    },
    exposedPorts: ['80/tcp', '9/udp'],
  });
  t.same(web.ports, {
    '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
    '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '8081' }],
    '9/udp': null,
  });
  const client = await connect('client');
  await serve(t, web, 80, 'public');
  await serve(t, web, 81, 'private');

  t.equal(await fetch('127.0.0.1:8080'), 'public', 'from the host, by its loopback');
  t.equal(await fetch('10.99.0.1:8080'), 'public', 'from the host, by another address');
  t.equal(await fetch('10.99.0.1:8080', lan.path), 'public', 'from the network outside');
  t.equal(await fetch('172.17.0.1:8080', pathOf(client)), 'public', 'from another container');
  t.equal(await fetch('10.99.0.1:8080', pathOf(web)), 'public', 'from the container itself');
  t.equal(await fetch('127.0.0.1:8081'), 'private', 'loopback only: from the host');
  t.equal(await fetch('10.99.0.1:8081'), null, 'loopback only: not at another address');
  t.equal(await fetch('10.99.0.1:8081', lan.path), null, 'loopback only: not from outside');
});

t.test('from outside, nothing but published ports is reachable, even with a route', async (t) => {
  const { connect } = await open(t);
  const lan = await neighbour();
  t.teardown(lan.release);
  const web = await connect('web', {
    portBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
  });
  await serve(t, web, 80, 'secret');
  await run('busybox', [
    'nsenter',
    `-n${lan.path}`,
    'ip',
    'route',
    'add',
    '172.17.0.0/16',
    'via',
    '10.99.0.1',
  ]);
  t.equal(await fetch(`${addressOf(web)}:80`, lan.path), null);
  t.equal(await fetch('127.0.0.1:8080'), 'secret');
});

t.test('containers go out behind the address of the host', async (t) => {
  const { connect } = await open(t);
  const lan = await neighbour();
  t.teardown(lan.release);
  const script = `socat TCP-LISTEN:7000,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR' & ${waitForListener(7000)}; echo; wait`;
  const server = spawn('busybox', ['nsenter', `-n${lan.path}`, 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout!, 'data');
  const client = await connect('client');
  t.equal(await fetch('10.99.0.2:7000', pathOf(client)), '10.99.0.1');
});

t.test('a container cannot reach services on the loopback of the host', async (t) => {
  const { connect } = await open(t);
  const secret = createServer((socket) => socket.end('secret')).listen(7001, '127.0.0.1');
  await once(secret, 'listening');
  t.teardown(() => secret.close());
  const client = await connect('client');
  const path = pathOf(client);
  await run('busybox', ['nsenter', `-n${path}`, 'ip', 'link', 'set', 'lo', 'down']);
  await run('busybox', [
    'nsenter',
    `-n${path}`,
    'sh',
    '-c',
    'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet',
  ]);
  await run('busybox', ['nsenter', `-n${path}`, 'ip', 'route', 'add', '127.0.0.1/32', 'via', '172.17.0.1']);
  t.equal(await fetch('127.0.0.1:7001'), 'secret');
  t.equal(await fetch('127.0.0.1:7001', path), null);
});

t.test('UDP ports are published too', async (t) => {
  const { connect } = await open(t);
  const echo = await connect('echo', { portBindings: { '53/udp': [{ HostPort: '5353' }] } });
  const server = spawn(
    'busybox',
    ['nsenter', `-n${pathOf(echo)}`, 'socat', '-d', '-d', 'UDP-RECVFROM:53,fork', 'PIPE'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.teardown(() => server.kill());
  await once(server.stderr!, 'data');
  const { stdout } = await run('socat', ['-t1', '-', 'UDP:127.0.0.1:5353'], { input: 'ping' });
  t.equal(stdout.toString(), 'ping');
});

t.test('any free port is found, and published ports of exposed ones', async (t) => {
  const { connect } = await open(t);
  const { ports } = await connect('web', { exposedPorts: ['80/tcp', '81/tcp'], publishAllPorts: true });
  const numbers = [ports['80/tcp']![0]!.HostPort, ports['81/tcp']![0]!.HostPort].map(Number);
  t.ok(numbers[0]! >= 32768 && numbers[0]! !== numbers[1]!, numbers.join(' '));
});

t.test('a port that is taken is named, and nothing is left behind', async (t) => {
  const { connect, sandboxes } = await open(t);
  const portBindings = { '80/tcp': [{ HostPort: '8080' }] };
  await connect('web', { portBindings });
  await t.rejects(connect('second', { portBindings }), {
    httpStatus: 500,
    message:
      /^driver failed programming external connectivity on endpoint second \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8080 failed: port is already allocated$/,
  });
  const other = createServer().listen(8081, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  await t.rejects(connect('second', { portBindings: { '80/tcp': [{ HostPort: '8081' }] } }), {
    message: /failed to bind host port for 0\.0\.0\.0:8081\/tcp: address already in use$/,
  });
  await t.rejects(
    connect('second', { portBindings: { '80/tcp': [{ HostIp: '192.0.2.77', HostPort: '1' }] } }),
    {
      message: /cannot assign requested address/,
    },
  );
  t.equal(sandboxes.inspectSandbox('second'), null);
  await sandboxes.releaseSandbox('web');
  await connect('second', { portBindings });
});

t.test('while a port is published, no other program gets it', async (t) => {
  const { connect, sandboxes } = await open(t);
  await connect('web', { portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  const late = createServer().listen(8080, '0.0.0.0');
  const [error] = await once(late, 'error');
  t.equal(error.code, 'EADDRINUSE');
  await sandboxes.releaseSandbox('web');
  late.listen(8080, '0.0.0.0');
  await once(late, 'listening');
  late.close();
});

t.test('a joined container shares namespace and files, and publishes nothing of its own', async (t) => {
  const { connect, directory } = await open(t);
  const web = await connect('web');
  const inside = spawn('busybox', ['nsenter', `-n${pathOf(web)}`, 'sh', '-c', 'echo; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => inside.kill());
  await once(inside.stdout!, 'data');
  const joined = { containerId: 'web', pid: inside.pid! };
  const side = await connect('side', { mode: 'container:web', joined });
  const address = await run('busybox', [
    'nsenter',
    `-n${pathOf(side)}`,
    'ip',
    '-4',
    '-o',
    'addr',
    'show',
    'eth0',
  ]);
  t.match(address.stdout.toString(), addressOf(web));
  t.equal(
    await readFile(join(directory, 'containers/side/hosts'), 'utf8'),
    await readFile(join(directory, 'containers/web/hosts'), 'utf8'),
  );
  await t.rejects(connect('late', { mode: 'container:gone' }), {
    name: 'Conflict',
    message: 'cannot join network of a non running container: gone',
  });
  const portBindings = { '80/tcp': [{ HostPort: '8080' }] };
  await t.rejects(connect('late', { mode: 'container:web', joined, portBindings }), { name: 'Conflict' });
});

t.test('what the default network cannot give is refused', async (t) => {
  const { connect } = await open(t);
  const refused: [Partial<SandboxRequest>, RegExp][] = [
    [{ mode: 'nowhere' }, /network nowhere not found/],
    [{ endpoints: { bridge: { IPAMConfig: { IPv4Address: '172.17.0.9' } } } }, /user defined networks only/],
    [{ endpoints: { bridge: { Aliases: ['x'] } } }, /aliases are only supported for user-defined/],
    [{ endpoints: { bridge: { MacAddress: '01:00:00:00:00:01' } } }, /multicast/],
    [{ endpoints: { bridge: { DriverOpts: { a: 'b' } } } }, /unknown endpoint options: a/],
    [{ mode: 'host', endpoints: { bridge: {} } }, /multiple networks/],
  ];
  for (const [more, message] of refused) await t.rejects(connect('x', more), { message }, String(message));
  const { networks } = await connect('x', { endpoints: { default: { MacAddress: '02:00:00:00:00:07' } } });
  t.equal(networks.bridge!.MacAddress, '02:00:00:00:00:07');
});

/** As `docker network create` does, with what this test needs. */
function networkNamed(name: string, more: Partial<NetworkRequest> = {}): NetworkRequest {
  return {
    name,
    driver: 'bridge',
    internal: false,
    attachable: false,
    labels: {},
    options: {},
    addressing: [],
    ...more,
  };
}

/** What busybox's nslookup finds from inside; null when there is no such name. */
async function lookUp(sandbox: Sandbox, name: string): Promise<string[] | null> {
  const args = ['nsenter', `-n${pathOf(sandbox)}`, 'busybox', 'nslookup', name, '127.0.0.11'];
  const { exitCode, stdout } = await tryRun('busybox', args);
  const answers = stdout.toString().split('\n\n').slice(1).join('\n');
  if (exitCode !== 0) return null;
  return [...answers.matchAll(/(?:Address|name) ?[:=] ?(\S+)/g)].map((match) => match[1]!).sort();
}

t.test('on a network of their own, containers find one another by name', async (t) => {
  const { connect, networks, directory } = await open(t);
  const { bridge } = await networks.create(
    networkNamed('app', { addressing: [{ subnet: '172.30.0.0/24', auxiliary: {} }] }),
  );
  t.match(bridge, { subnet: '172.30.0.0/24', gateway: '172.30.0.1' });
  const web = await connect('web', { mode: 'app', endpoints: { app: { Aliases: ['www'] } } });
  const second = await connect('web2', { mode: 'app', endpoints: { app: { Aliases: ['www'] } } });
  const fixed = await connect('db', {
    mode: 'app',
    endpoints: { app: { IPAMConfig: { IPv4Address: '172.30.0.77' } } },
  });
  t.same(web.networks.app!.DNSNames, ['web', 'www']);
  t.equal(fixed.networks.app!.IPAddress, '172.30.0.77');
  t.match(
    await readFile(join(directory, 'containers/web/resolv.conf'), 'utf8'),
    /^nameserver 127\.0\.0\.11\n(search .*\n)?options .*ndots:0\n$/,
  );
  t.same(await lookUp(web, 'web2'), [second.networks.app!.IPAddress]);
  t.same(await lookUp(web, 'DB.app'), ['172.30.0.77']);
  t.same(await lookUp(fixed, 'www'), [web.networks.app!.IPAddress, second.networks.app!.IPAddress]);
  t.same(await lookUp(web, '172.30.0.77'), ['db.app']);
  await serve(t, second, 80, 'second');
  t.equal(await fetch(`${second.networks.app!.IPAddress}:80`, pathOf(web)), 'second');
});

t.test('networks are apart: no names, no way from one to the other, but by published ports', async (t) => {
  const { connect, networks } = await open(t);
  await networks.create(networkNamed('red'));
  await networks.create(networkNamed('blue'));
  const red = await connect('red1', { mode: 'red', portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  const blue = await connect('blue1', { mode: 'blue' });
  const both = await connect('both', { mode: 'red', endpoints: { red: {}, blue: {} } });
  await serve(t, red, 80, 'red');
  const { IPAddress, Gateway } = red.networks.red!;
  t.equal(await fetch(`${IPAddress}:80`, pathOf(blue)), null);
  t.equal(await lookUp(blue, 'red1'), null);
  t.equal(await fetch(`${Gateway}:8080`, pathOf(blue)), 'red');
  t.same(Object.keys(both.networks), ['red', 'blue']);
  t.equal(await fetch(`${IPAddress}:80`, pathOf(both)), 'red');
  t.same(await lookUp(both, 'blue1'), [blue.networks.blue!.IPAddress]);
  t.same(await lookUp(blue, 'both'), [both.networks.blue!.IPAddress]);
});

t.test('an internal network has no way out and publishes nothing', async (t) => {
  const { connect, networks } = await open(t);
  const lan = await neighbour();
  t.teardown(lan.release);
  await networks.create(networkNamed('closed', { internal: true }));
  const inside = await connect('inside', {
    mode: 'closed',
    portBindings: { '80/tcp': [{ HostPort: '8080' }] },
  });
  const friend = await connect('friend', { mode: 'closed' });
  t.same(inside.ports, {});
  await serve(t, inside, 80, 'hello');
  t.equal(await fetch(`${inside.networks.closed!.IPAddress}:80`, pathOf(friend)), 'hello');
  await run('busybox', [
    'nsenter',
    `-n${pathOf(inside)}`,
    'ip',
    'route',
    'add',
    'default',
    'via',
    inside.networks.closed!.Gateway,
  ]);
  const reached = await tryRun('busybox', [
    'nsenter',
    `-n${pathOf(inside)}`,
    'busybox',
    'ping',
    '-c1',
    '-W1',
    '10.99.0.2',
  ]);
  t.not(reached.exitCode, 0);
});

t.test('without inter-container traffic, only the gateway is reached', async (t) => {
  const { connect, networks } = await open(t);
  await networks.create(
    networkNamed('apart', { options: { 'com.docker.network.bridge.enable_icc': 'false' } }),
  );
  const a = await connect('a', { mode: 'apart' });
  const b = await connect('b', { mode: 'apart' });
  await serve(t, b, 80, 'b');
  t.equal(await fetch(`${b.networks.apart!.IPAddress}:80`, pathOf(a)), null);
  t.same(await lookUp(a, 'b'), [b.networks.apart!.IPAddress]);
});

t.test('a network in use is kept, and leaves nothing when it goes', async (t) => {
  const { connect, networks, sandboxes } = await open(t);
  await networks.create(networkNamed('app', { options: { 'com.docker.network.bridge.name': 'br-app' } }));
  await connect('web', { mode: 'app' });
  t.match(await links(), 'br-app');
  await t.rejects(networks.remove('app'), { name: 'Forbidden', message: /active endpoints \(name:"web"\)/ });
  await sandboxes.releaseSandbox('web');
  await networks.remove('app');
  t.notMatch(await links(), 'br-app');
  t.notMatch(await rules(), 'br-app');
  t.throws(() => networks.get('app'), { name: 'NotFound' });
});

t.test('rules of others are left alone, and a flush of everything is mended', async (t) => {
  await run('nft', ['-f', '-'], { input: 'table inet foreign { chain c { counter; }; }\n' });
  t.teardown(() => run('nft', ['delete', 'table', 'inet', 'foreign']));
  const { connect } = await open(t);
  const web = await connect('web', { portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  t.match(await rules(), 'table inet foreign');
  await serve(t, web, 80, 'hello');
  await run('nft', ['delete', 'table', 'inet', 'machine_docker0']);
  await connect('other', { portBindings: { '80/tcp': [{ HostPort: '8082' }] } });
  t.equal(await fetch('127.0.0.1:8080'), 'hello');
});

t.test('a restarted engine keeps what lives and removes the rest', async (t) => {
  const { connect, db } = await open(t);
  const web = await connect('web', { portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  await serve(t, web, 80, 'hello');
  await connect('dead', { portBindings: { '80/tcp': [{ HostPort: '8089' }] } });
  // The first engine's sockets stay bound in this process, as nobody's would after a crash.
  const { sandboxes } = await openNetworks(
    db,
    { ...defaultNetworkOptions, spareSandboxes: 0 },
    { publish() {} },
  );
  await sandboxes.reconcile(['web']);
  t.match(sandboxes.inspectSandbox('web')!.ports, { '80/tcp': [{ HostPort: '8080' }] });
  t.equal(sandboxes.inspectSandbox('dead'), null);
  t.equal(await fetch('127.0.0.1:8080'), 'hello');
  t.notMatch(await rules(), '8089');
  await sandboxes.releaseSandbox('web');
  t.notMatch(await rules(), '8080');
});

t.test('after 200 starts and stops no rule, link, namespace or address is left', async (t) => {
  const { connect, sandboxes, networks } = await open(t, { spareSandboxes: 2 });
  const namespaces = async () =>
    (await run('lsns', ['-t', 'net', '-n'])).stdout.toString().split('\n').length;
  await connect('first', { portBindings: { '80/tcp': [{}] } });
  await sandboxes.releaseSandbox('first');
  const before = { rules: await rules(), namespaces: await namespaces() };
  for (let i = 0; i < 20; i++) {
    const ids = Array.from({ length: 10 }, (_, n) => `c${n}`);
    await Promise.all(ids.map((id) => connect(id, { portBindings: { '80/tcp': [{}] } })));
    await Promise.all(ids.map((id) => sandboxes.releaseSandbox(id)));
  }
  t.equal(await rules(), before.rules);
  t.same(networks.endpoints(networks.get('bridge')), []);
  await sandboxes.close();
  // The kernel frees namespaces in the background; one more made and freed comes after all of them.
  const last = await makeNamespace(async () => '');
  last.release();
  await run('sh', [
    '-c',
    'for i in $(seq 100); do ip -br link | grep -q veth || exit 0; sleep 0.1; done; exit 1',
  ]);
  t.notMatch(await links(), /veth|docker0/);
  t.notMatch(await rules(), 'machine_');
  t.ok((await namespaces()) <= before.namespaces);
});

/** A host next door, 10.99.0.2, to which this one is 10.99.0.1. */
function neighbour() {
  return makeNamespace(async (path) => {
    const batch = `link add lan type veth peer name eth0 netns ${path}\naddr add 10.99.0.1/24 dev lan\nlink set lan up\n`;
    await run('ip', ['-batch', '-'], { input: batch });
    return 'link set lo up\naddr add 10.99.0.2/24 dev eth0\nlink set eth0 up\n';
  });
}

/** In ss's own words, without connecting. */
function waitForListener(port: number): string {
  return `for i in $(seq 100); do ss -Hltn sport = :${port} | grep -q . && break; sleep 0.1; done`;
}
