import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { hostForwards, parseUserNetwork } from '../../../drivers/qemu/host-forwards.ts';
import type { MonitorLease } from '../../../drivers/qemu/monitors.ts';

/** As QEMU 7.2 writes it. */
const userNetwork = [
  'Hub -1 (net):',
  '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
  '  TCP[ESTABLISHED]   14       127.0.0.1 21999       10.0.2.15  2376     0     0',
  '  TCP[HOST_FORWARD]  13       127.0.0.1    80       10.0.2.15    80     0     0',
  '  TCP[HOST_FORWARD] 112               * 21081       10.0.2.15 32768     0     0',
  '  TCP[HOST_FORWARD]   3       127.0.0.1 21999       10.0.2.15  2376     0     0',
  '  UDP[HOST_FORWARD]  11 192.168.100.100 21080       10.0.2.15    53     0     0',
  '  UDP[236 sec]       12       10.0.2.15 41000         9.9.9.9    53     0     0',
  '',
].join('\r\n');

function monitor(answers: Readonly<Record<string, string>>) {
  const said: string[] = [];
  const lease = {
    client: {
      execute: async (_command: string, args: { 'command-line': string }) => {
        said.push(args['command-line']);
        return answers[args['command-line'].split(' ')[0]!] ?? '';
      },
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return { said, lease: lease as unknown as MonitorLease };
}

const forward = { protocol: 'udp', hostAddress: '127.0.0.1', hostPort: 28_471, guestPort: 53 } as const;

t.test('what QEMU forwards is read from its list, without the ways to the machine itself', async (t) => {
  t.equal(parseUserNetwork(userNetwork).length, 4);
  const forwards = hostForwards(monitor({ info: userNetwork }).lease, [21999]);
  t.strictSame(await forwards.list(), [
    { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 80, guestPort: 80 },
    { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 21081, guestPort: 32768 },
    { protocol: 'udp', hostAddress: '192.168.100.100', hostPort: 21080, guestPort: 53 },
  ]);
});

t.test('QEMU is asked in its words', async (t) => {
  const { said, lease } = monitor({
    hostfwd_remove: 'host forwarding rule for udp:127.0.0.1:28471 not found\r\n',
  });
  const forwards = hostForwards(lease, []);
  await forwards.add(forward);
  await forwards.remove(forward);
  t.strictSame(said, ['hostfwd_add net udp:127.0.0.1:28471-:53', 'hostfwd_remove net udp:127.0.0.1:28471']);
});

t.test('its sentences are errors', async (t) => {
  const taken = "Could not set up host forwarding rule 'udp:127.0.0.1:28471-:53'\r\n";
  await t.rejects(hostForwards(monitor({ hostfwd_add: taken }).lease, []).add(forward), {
    name: 'PortUnavailable',
    code: 'EADDRINUSE',
  });
  const wrong = monitor({ hostfwd_add: "unrecognized netdev id 'net'\r\n", hostfwd_remove: 'what?' });
  await t.rejects(hostForwards(wrong.lease, []).add(forward), { message: /unrecognized netdev id 'net'$/ });
  await t.rejects(hostForwards(wrong.lease, []).remove(forward), { message: /what\?$/ });
});

t.test('a port that somebody has is not even asked for', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { said, lease } = monitor({});
  const there = { ...forward, protocol: 'tcp', hostPort: port } as const;
  await t.rejects(hostForwards(lease, []).add(there), { code: 'EADDRINUSE' });
  const nowhere = { ...there, hostAddress: '192.0.2.77' };
  await t.rejects(hostForwards(lease, []).add(nowhere), { code: 'EADDRNOTAVAIL' });
  t.strictSame(said, []);
});
