import t from 'tap';
import { parseConfig } from '../../guest/config.ts';

const tls = ['--tlscacert', '/c/ca.pem', '--tlscert', '/c/cert.pem', '--tlskey', '/c/key.pem'];

t.test('a guest has the computer to itself', async (t) => {
  t.match(parseConfig(['--guest']), {
    guest: true,
    dataRoot: '/var/lib/machine/engine',
    cgroupParent: 'machine',
    network: { bridgeName: 'docker0' },
    listen: [{ kind: 'unix', path: '/run/docker.sock' }],
  });
});

t.test('engines on one host share neither bridge nor cgroups', async (t) => {
  const [a, b] = [parseConfig(['--data-root', '/a']), parseConfig(['--data-root', '/b'])];
  t.not(a.network.bridgeName, b.network.bridgeName);
  t.not(a.cgroupParent, b.cgroupParent);
  t.ok(a.network.bridgeName.length <= 15, 'a link has a name of at most 15 bytes');
  t.same(parseConfig(['--data-root', '/a']).network, a.network, 'the same at every start');
});

t.test('addresses to listen on', async (t) => {
  const files = { ca: '/c/ca.pem', cert: '/c/cert.pem', key: '/c/key.pem' };
  const listen = (...hosts: string[]) =>
    parseConfig([...tls, ...hosts.flatMap((host) => ['-H', host])]).listen;
  t.same(listen('unix:///x/s', 'tcp://127.0.0.1:2376', 'tcp://:1', 'tcp://[::1]:2'), [
    { kind: 'unix', path: '/x/s' },
    { kind: 'tls', host: '127.0.0.1', port: 2376, files },
    { kind: 'tls', host: '0.0.0.0', port: 1, files },
    { kind: 'tls', host: '::1', port: 2, files },
  ]);
});

t.test('where names are asked for, and whom to ask without a host', async (t) => {
  t.equal(parseConfig([]).network.resolverPlace, null);
  t.strictSame(parseConfig(['--resolve-at', '10.0.2.53,10.0.2.3']).network.resolverPlace, {
    address: '10.0.2.53',
    otherwise: '10.0.2.3',
  });
  for (const place of ['10.0.2.53', '10.0.2.53,dns', '10.0.2.53,10.0.2.3,10.0.2.4'])
    t.throws(() => parseConfig(['--resolve-at', place]), { message: /invalid --resolve-at/ });
});

t.test('what cannot be is refused with a sentence', async (t) => {
  t.throws(() => parseConfig(['-H', 'tcp://0.0.0.0:2375']), /needs --tlscacert, --tlscert and --tlskey/);
  t.throws(() => parseConfig([...tls, '-H', 'tcp://x:99999']), /invalid host "tcp:\/\/x:99999"/);
  t.throws(() => parseConfig([...tls, '-H', 'fd://']), /invalid host/);
  t.throws(() => parseConfig(['--run-root', '/run/a b']), /invalid --run-root "\/run\/a b"/);
  t.throws(() => parseConfig(['--label', 'x']), /invalid label "x"; expected name=value/);
  t.throws(() => parseConfig(['--no-such']), { name: 'InvalidParameter', message: /--no-such/ });
});
