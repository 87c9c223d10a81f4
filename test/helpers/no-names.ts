import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A name server on loopback, port 53, that knows no name: for networks of a test's own. */
export async function serveNoNames(t: { teardown(close: () => unknown): unknown }): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const answer = Buffer.from(query);
    // A response, recursion available, name error (RFC 1035, 4.1.1).
    answer.writeUInt16BE(0x8183, 2);
    socket.send(answer, port, address);
  });
  socket.bind(53, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
}
