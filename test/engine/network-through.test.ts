import t from 'tap';
import type { PublishedPortNotice } from '../../guest/wire/index.ts';
import { networkNamed } from '../helpers/network-named.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { fetch, neighbour, open, rules, serve } from './network-lab.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) t.plan(0, cannot);
t.setTimeout(120_000);

const find = (ports: readonly PublishedPortNotice[], hostAddress: string, hostPort: number) =>
  ports.find((port) => port.hostAddress === hostAddress && port.hostPort === hostPort)!;

t.test('a forwarding host reaches every published port, and nobody else does', async (t) => {
  const { connect, sandboxes } = await open(t, { publishThrough: '10.99.0.2' });
  const host = await neighbour();
  t.teardown(host.release);
  const first = await connect('first', {
    portBindings: {
      '80/tcp': [
        { HostIp: '127.0.0.1', HostPort: '8080' },
        { HostIp: '192.0.2.7', HostPort: '22' },
      ],
      '81/tcp': [{ HostPort: '8081' }],
    },
  });
  const second = await connect('second', {
    portBindings: { '80/tcp': [{ HostIp: '192.0.2.7', HostPort: '8080' }] },
  });
  await serve(t, first, 80, 'first');
  await serve(t, first, 81, 'open');
  await serve(t, second, 80, 'second');
  t.match(first.ports, { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }, { HostIp: '192.0.2.7' }] });
  const ports = sandboxes.ports.list();
  t.equal(find(ports, '127.0.0.1', 8080).guestPort, 8080);
  t.equal(find(ports, '127.0.0.1', 8081).guestPort, 8081, 'no address was asked for');
  t.match(first.ports, { '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '8081' }] });
  t.equal(await fetch('10.99.0.1:8081'), 'open', 'which is any of this host, that is in front of nobody');
  const other = find(ports, '192.0.2.7', 8080).guestPort;
  t.not(other, 8080, 'the same port of another address');
  t.not(find(ports, '192.0.2.7', 22).guestPort, 22, 'that of the machine itself');

  t.equal(await fetch('10.99.0.1:8080', host.path), 'first');
  t.equal(await fetch(`10.99.0.1:${other}`, host.path), 'second');
  t.equal(await fetch('10.99.0.1:8081', host.path), 'open');
  t.equal(await fetch('10.99.0.1:8080'), null, 'from here, it is published at the loopback only');
  t.equal(await fetch('127.0.0.1:8080'), 'first');

  await sandboxes.releaseSandbox('second');
  t.equal(await fetch(`10.99.0.1:${other}`, host.path), null);
});

t.test('whoever observes the ports sees each change', async (t) => {
  const { connect, sandboxes, networks } = await open(t, { publishThrough: '10.99.0.2' });
  const seen: number[] = [];
  const stop = sandboxes.ports.observe(() => seen.push(sandboxes.ports.list().length));
  await connect('quiet');
  await connect('web', { portBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] } });
  await sandboxes.releaseSandbox('web');
  t.same(seen, [1, 0]);
  stop();
  await networks.create(networkNamed('closed', { internal: true }));
  await connect('web', { mode: 'closed', portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  t.same([seen.length, sandboxes.ports.list()], [2, []]);
  t.notMatch(await rules(), '8080');
});

t.test('a container whose port the forwarding host does not have is not connected', async (t) => {
  const { connect, sandboxes } = await open(t, { publishThrough: '10.99.0.2' });
  const message = 'failed to bind host port for 127.0.0.1:8080/tcp: address already in use (nginx)';
  const failed = [
    { protocol: 'tcp' as const, hostAddress: '127.0.0.1', hostPort: 8080, taken: true, message },
  ];
  const following = sandboxes.ports.host.follow({
    tell: ({ serial }) => setImmediate(() => following.answer({ serial, failed })),
    end: () => {},
  });
  await t.rejects(connect('web', { portBindings: { '80/tcp': [{ HostPort: '8080' }] } }), {
    message:
      /^driver failed programming external connectivity on endpoint web \(\w{64}\): failed to bind .*\(nginx\)$/,
  });
  t.strictSame(sandboxes.ports.list(), []);
  t.equal(sandboxes.inspectSandbox('web'), null);
  t.notMatch(await rules(), '8080');
});
