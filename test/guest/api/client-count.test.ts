import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { ClientCount } from '../../../guest/api/client-count.ts';

t.test('who is connected is a client, unless it is the host', async (t) => {
  const count = new ClientCount();
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket.resume());
    count.connected(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const join = async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const number = accepted.length;
    while (accepted.length === number) await delay(2);
    return socket;
  };
  await delay(20);
  t.ok(count.idleMs() >= 15);
  const host = await join();
  t.equal(count.idleMs(), 0, 'it may be anybody');
  count.isHost(accepted[0]!);
  count.isHost(accepted[0]!);
  t.ok(count.idleMs() > 0);
  const client = await join();
  t.equal(count.idleMs(), 0);
  client.end();
  await once(accepted[1]!, 'close');
  const idleMs = count.idleMs();
  t.ok(idleMs > 0 && idleMs < 1000, 'counted from when the last one left');
  host.end();
  await once(accepted[0]!, 'close');
  await join();
  t.equal(count.idleMs(), 0);
  accepted[2]!.destroy();
});
