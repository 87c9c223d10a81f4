import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { run } from '../../guest/host/exec.ts';
import { networkNamed } from '../helpers/network-named.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { addRoute, fetch, lookUp, neighbour, open, pathOf, rules, serve } from './network-lab.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) t.plan(0, cannot);
t.setTimeout(300_000);

const six = { subnet: 'fd00:7::/64', auxiliary: {} };

t.test('a network with IPv6 gives both addresses, routes and names', async (t) => {
  const { connect, networks, directory } = await open(t);
  await networks.create(networkNamed('both', { enableIpv6: true, addressing: [six] }));
  const web = await connect('web', { mode: 'both' });
  const fixed = await connect('db', {
    mode: 'both',
    endpoints: { both: { IPAMConfig: { IPv6Address: 'fd00:7::77' } } },
  });
  t.match(web.networks.both, {
    GlobalIPv6Address: 'fd00:7::2',
    GlobalIPv6PrefixLen: 64,
    IPv6Gateway: 'fd00:7::1',
    IPAddress: /^172\.17\.0\.2$|^172\.18\.0\.2$/,
  });
  t.equal(fixed.networks.both!.GlobalIPv6Address, 'fd00:7::77');
  t.same(await lookUp(web, 'db'), [fixed.networks.both!.IPAddress, 'fd00:7::77'].sort());
  t.match(await readFile(join(directory, 'containers/web/hosts'), 'utf8'), '\nfd00:7::2\tweb\n');
  await serve(t, fixed, 80, 'six');
  t.equal(await fetch('[fd00:7::77]:80', pathOf(web)), 'six');
  const route = await run('busybox', ['nsenter', `-n${pathOf(web)}`, 'ip', '-6', 'route', 'show', 'default']);
  t.match(route.stdout.toString(), 'default via fd00:7::1 dev eth0');
});

t.test('a network without IPv6 has none inside', async (t) => {
  const { connect } = await open(t);
  const web = await connect('web');
  const read = (file: string) =>
    run('busybox', ['nsenter', `-n${pathOf(web)}`, 'cat', `/proc/sys/net/${file}`]);
  t.equal((await read('ipv6/conf/eth0/disable_ipv6')).stdout.toString(), '1\n');
  t.equal((await read('ipv6/conf/lo/disable_ipv6')).stdout.toString(), '0\n');
});

t.test('a network can have IPv6 alone, with names', async (t) => {
  const { connect, networks, directory } = await open(t);
  await networks.create(networkNamed('six', { enableIpv4: false, enableIpv6: true, addressing: [six] }));
  const web = await connect('web', { mode: 'six' });
  const client = await connect('client', { mode: 'six' });
  t.match(web.networks.six, { IPAddress: '', GlobalIPv6Address: 'fd00:7::2' });
  t.match(await readFile(join(directory, 'containers/web/resolv.conf'), 'utf8'), /^nameserver fd00:7::1\n/);
  t.same(await lookUp(client, 'web', 'fd00:7::1'), ['fd00:7::2']);
  await serve(t, web, 80, 'alone');
  t.equal(await fetch('[fd00:7::2]:80', pathOf(client)), 'alone');
});

t.test('a port is published by IPv6 too, from everywhere', async (t) => {
  const { connect, networks } = await open(t);
  const lan = await neighbour();
  t.teardown(lan.release);
  await networks.create(networkNamed('both', { enableIpv6: true, addressing: [six] }));
  const web = await connect('web', {
    mode: 'both',
    portBindings: {
      '80/tcp': [{ HostPort: '8080' }],
      '81/tcp': [{ HostIp: '::1', HostPort: '8081' }],
      '82/tcp': [{ HostIp: 'fd99::1', HostPort: '8082' }],
    },
  });
  const plain = await connect('plain');
  for (const port of [80, 81, 82]) await serve(t, web, port, `port ${port}`);
  t.equal(await fetch('[::1]:8080'), 'port 80', 'from the host, by its loopback');
  t.equal(await fetch('[fd99::1]:8080'), 'port 80', 'from the host, by another address');
  t.equal(await fetch('[fd99::1]:8080', lan.path), 'port 80', 'from the network outside');
  t.equal(await fetch('[fd99::1]:8080', pathOf(web)), 'port 80', 'from the container itself');
  t.equal(await fetch('[::1]:8081'), 'port 81');
  t.equal(await fetch('[fd99::1]:8081', lan.path), null);
  t.equal(await fetch('[fd99::1]:8082', lan.path), 'port 82');
  t.equal(await fetch('127.0.0.1:8080'), 'port 80');
  t.equal(await fetch('[fd00:7::2]:80', lan.path), null, 'the container itself is not reached from outside');
  t.equal(await fetch('10.99.0.1:8080', pathOf(plain)), 'port 80');
});

t.test('by IPv6, a container with IPv4 alone is reached at its published ports', async (t) => {
  const { connect } = await open(t);
  const lan = await neighbour();
  t.teardown(lan.release);
  const web = await connect('web', { portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  await serve(t, web, 80, 'four');
  t.equal(await fetch('[fd99::1]:8080', lan.path), 'four');
});

t.test('containers go out by IPv6 behind the address of the host', async (t) => {
  const { connect, networks } = await open(t);
  const lan = await neighbour();
  t.teardown(lan.release);
  await networks.create(networkNamed('both', { enableIpv6: true, addressing: [six] }));
  const client = await connect('client', { mode: 'both' });
  const ping = ['nsenter', `-n${pathOf(client)}`, 'busybox', 'ping', '-6', '-c1', '-W2', 'fd99::2'];
  await t.resolves(run('busybox', ping), 'the neighbour has no route to the container, but to the host');
});

t.test('networks that route are reached at the addresses of their containers', async (t) => {
  const { connect, networks } = await open(t);
  const lan = await neighbour();
  t.teardown(lan.release);
  const mode = (family: number) => `com.docker.network.bridge.gateway_mode_ipv${family}`;
  await networks.create(
    networkNamed('routed', {
      enableIpv6: true,
      addressing: [six, { subnet: '172.30.0.0/24', auxiliary: {} }],
      options: { [mode(4)]: 'routed', [mode(6)]: 'nat-unprotected' },
    }),
  );
  await addRoute(lan.path, '172.30.0.0/24', '10.99.0.1');
  await addRoute(lan.path, 'fd00:7::/64', 'fd99::1');
  const web = await connect('web', { mode: 'routed', portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  t.same(web.ports, { '80/tcp': [{ HostIp: '::', HostPort: '8080' }] });
  await serve(t, web, 80, 'wanted');
  await serve(t, web, 81, 'hidden');
  t.equal(await fetch('172.30.0.2:80', lan.path), 'wanted');
  t.equal(await fetch('172.30.0.2:81', lan.path), null);
  t.equal(await fetch('10.99.0.1:8080', lan.path), null);
  t.equal(await fetch('[fd00:7::2]:81', lan.path), 'hidden');
  t.notMatch(await rules(), '172.30.0.0/24 }', 'nothing of it is masqueraded');
});
