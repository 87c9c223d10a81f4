import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { findHolder, listeningInodes } from '../../../../provisioning/supervisor/ports/listeners.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const row = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0`;
const tcp = [
  head,
  row('0100007F:1F90', '0A', 11),
  row('0100007F:1F90', '01', 12),
  row('00000000:1F91', '0A', 13),
  row('070200C0:1F90', '0A', 14),
  '',
].join('\n');
const tcp6 = [
  head,
  row('00000000000000000000000000000000:1F92', '0A', 21),
  row('00000000000000000000000001000000:1F90', '0A', 22),
  row('0000000000000000FFFF00000100007F:1F93', '0A', 23),
].join('\n');

const at = (hostAddress: string, hostPort: number) =>
  ({ protocol: 'tcp', hostAddress, hostPort, guestPort: 80 }) as const;

t.test('who listens in the way of a forward', async (t) => {
  t.strictSame(listeningInodes(tcp, at('127.0.0.1', 8080)), ['11'], "a connection is in nobody's way");
  t.strictSame(listeningInodes(tcp, at('192.0.2.7', 8080)), ['14']);
  t.strictSame(listeningInodes(tcp, at('0.0.0.0', 8080)), ['11', '14'], 'every address');
  t.strictSame(listeningInodes(tcp, at('127.0.0.1', 8081)), ['13'], 'who has every address');
  t.strictSame(listeningInodes(tcp6, at('127.0.0.1', 8082)), ['21'], 'IPv4 by an IPv6 socket');
  t.strictSame(listeningInodes(tcp6, at('127.0.0.1', 8083)), ['23'], 'its mapped address');
  t.strictSame(listeningInodes(tcp6, at('::1', 8080)), ['22']);
  t.strictSame(listeningInodes(tcp, at('127.0.0.1', 9999)), []);
});

t.test('a UDP socket', async (t) => {
  const udp = [head, row('0100007F:0035', '07', 31)].join('\n');
  t.strictSame(listeningInodes(udp, { ...at('127.0.0.1', 53), protocol: 'udp' }), ['31']);
});

t.test('this process is found', { skip: process.platform !== 'linux' }, async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.match(await findHolder(at('127.0.0.1', port)), { pid: process.pid, name: /^node/ });
});
