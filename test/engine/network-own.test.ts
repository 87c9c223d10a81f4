import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { run, tryRun } from '../../guest/host/exec.ts';
import { networkNamed } from '../helpers/network-named.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { fetch, links, lookUp, neighbour, open, pathOf, rules, serve } from './network-lab.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) t.plan(0, cannot);
t.setTimeout(300_000);

t.test('on a network of their own, containers find one another by name', async (t) => {
  const { connect, networks, directory } = await open(t);
  const { ipv4 } = await networks.create(
    networkNamed('app', { addressing: [{ subnet: '172.30.0.0/24', auxiliary: {} }] }),
  );
  t.match(ipv4, { subnet: '172.30.0.0/24', gateway: '172.30.0.1' });
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
    networks.get('closed').ipv4!.gateway,
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

t.test('a running container that cannot publish by its new network is left as it was', async (t) => {
  const { connect, request, networks, sandboxes } = await open(t);
  await networks.create(networkNamed('closed', { internal: true }));
  const app = await networks.create(networkNamed('app'));
  const portBindings = { '80/tcp': [{ HostPort: '8080' }] };
  await connect('first', { portBindings });
  const web = await connect('web', { mode: 'closed', portBindings });
  const live = { ...request('web', { endpoints: { closed: {}, app: {} }, portBindings }), pid: 0 };
  await t.rejects(sandboxes.connectNetwork(live, app.id), {
    message: /8080 failed: port is already allocated/,
  });
  t.same(Object.keys(sandboxes.inspectSandbox('web')!.networks), ['closed']);
  const inside = ['nsenter', `-n${pathOf(web)}`, 'ip', '-o', 'link'];
  t.notMatch((await run('busybox', inside)).stdout.toString(), 'eth1');
  await sandboxes.releaseSandbox('first');
  await sandboxes.connectNetwork(live, app.id);
  t.match(sandboxes.inspectSandbox('web')!.ports, { '80/tcp': [{ HostPort: '8080' }, { HostIp: '::' }] });
});
