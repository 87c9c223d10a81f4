import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { run } from '../../guest/host/exec.ts';
import type { SandboxRequest } from '../../guest/network/network-manager.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { addressOf, fetch, neighbour, open, pathOf, serve, waitForListener } from './network-lab.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) t.plan(0, cannot);
t.setTimeout(300_000);

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
    [
      { endpoints: { bridge: { DriverOpts: { 'com.docker.network.endpoint.ifname': 'a b' } } } },
      /invalid interface name/,
    ],
    [{ mode: 'host', endpoints: { host: {}, bridge: {} } }, /multiple networks/],
  ];
  for (const [more, message] of refused) await t.rejects(connect('x', more), { message }, String(message));
  const { networks } = await connect('x', { endpoints: { default: { MacAddress: '02:00:00:00:00:07' } } });
  t.equal(networks.bridge!.MacAddress, '02:00:00:00:00:07');
});
