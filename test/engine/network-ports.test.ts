import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { run } from '../../guest/host/exec.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { addRoute, addressOf, fetch, neighbour, open, pathOf, serve } from './network-lab.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) t.plan(0, cannot);
t.setTimeout(300_000);

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
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '::', HostPort: '8080' },
    ],
    '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '8081' }],
    '9/udp': null,
  });
  const client = await connect('client');
  await serve(t, web, 80, 'public');
  await serve(t, web, 81, 'private');

  t.equal(await fetch('127.0.0.1:8080'), 'public', 'from the host, by its loopback');
  t.equal(await fetch('10.99.0.1:8080'), 'public', 'from the host, by another address');
  t.equal(await fetch('[::1]:8080'), 'public', 'from the host, by IPv6');
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
  await addRoute(lan.path, '172.17.0.0/16', '10.99.0.1');
  t.equal(await fetch(`${addressOf(web)}:80`, lan.path), null);
  t.equal(await fetch('127.0.0.1:8080'), 'secret');
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
