import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { relayDatagrams } from '../../../../provisioning/supervisor/ports/relay-datagrams.ts';

const hostAddress = '127.0.0.1';

async function bound(t: Test): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, hostAddress);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket;
}

/** Who is asked inside sees a client by the port of its own way there. */
async function portsSeen(t: Test, idleMs: number, pausesMs: readonly number[]): Promise<number[]> {
  const [front, inside, client] = [await bound(t), await bound(t), await bound(t)];
  const seen: number[] = [];
  inside.on('message', (word, from) => {
    seen.push(from.port);
    inside.send(word, from.port, from.address);
  });
  t.teardown(relayDatagrams(front, () => ({ hostAddress, hostPort: inside.address().port }), { idleMs }));
  for (const pauseMs of pausesMs) {
    client.send('word', front.address().port, hostAddress);
    await once(client, 'message');
    await delay(pauseMs);
  }
  return seen;
}

t.test('the way of a client that is silent is forgotten, and made anew when it speaks', async (t) => {
  const before = openSockets();
  const [first, second] = await portsSeen(t, 100, [400, 400]);
  t.not(second, first);
  t.equal(openSockets() - before, 3, 'none but its own are open then');
});

t.test('that of a client that speaks stays', async (t) => {
  const seen = await portsSeen(t, 1000, [300, 300, 300, 300, 300, 300]);
  t.equal(new Set(seen).size, 1);
});

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap').length;
}
