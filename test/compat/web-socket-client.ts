import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';

export interface WebSocketClient {
  /** One masked binary message, as a client must send them (RFC 6455, section 5.3). */
  send(text: string): void;
  /** Says goodbye; what the server said until it did too, of all its messages together. */
  close(): Promise<string>;
  /** Resolves when the server has said this. */
  heard(text: string): Promise<void>;
}

/** A WebSocket at an engine's socket. Throws with the status when it is refused. */
export async function openWebSocket(socketPath: string, path: string): Promise<WebSocketClient> {
  const key = randomBytes(16).toString('base64');
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    Origin: 'http://localhost',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
  };
  const socket = await new Promise<Duplex>((resolve, reject) => {
    const sent = request({ socketPath, path, headers });
    sent.on('upgrade', (_response, connection, head) => {
      connection.unshift(head);
      resolve(connection);
    });
    sent.on('response', ({ statusCode }) => reject(new Error(`refused with ${statusCode}`)));
    sent.on('error', reject);
    sent.end();
  });
  let text = '';
  let pending = Buffer.alloc(0);
  const listeners = new Set<() => void>();
  const ended = new Promise<void>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    // Messages of a test are short: their length is in the second byte.
    while (pending.length >= 2 && pending.length >= 2 + pending[1]!) {
      const end = 2 + pending[1]!;
      if ((pending[0]! & 0x0f) <= 2) text += pending.toString('utf8', 2, end);
      else if ((pending[0]! & 0x0f) === 8) socket.end();
      pending = pending.subarray(end);
    }
    for (const listener of listeners) listener();
  });
  const send = (opcode: number, payload: Buffer) => {
    const mask = randomBytes(4);
    const masked = payload.map((byte, at) => byte ^ mask[at % 4]!);
    socket.write(Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]));
  };
  return {
    send: (line) => send(2, Buffer.from(line)),
    async close() {
      send(8, Buffer.from([0x03, 0xe8]));
      await ended;
      return text;
    },
    heard: (wanted) =>
      new Promise((resolve) => {
        const listener = () => {
          if (!text.includes(wanted)) return;
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
        listener();
      }),
  };
}
