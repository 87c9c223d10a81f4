import type { Socket } from 'node:net';
import { Timeout } from '../../../drivers/errors.ts';
import { reasonOf } from '../log.ts';

/** To a client that does not read or close. */
const patienceMs = 2000;

/**
 * Answers a Docker client in the engine's place: whatever it asks, an error of the API's form that says why the engine
 * is not there.
 */
export function refuse(client: Socket, error: unknown): void {
  const body = `${JSON.stringify({ message: reasonOf(error) })}\n`;
  const status = error instanceof Timeout ? '504 Gateway Timeout' : '502 Bad Gateway';
  const head = [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  // A socket that is closed with something unread in it takes its answer back.
  client.resume();
  client.on('error', () => {});
  client.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => client.destroy(), patienceMs);
  client.once('close', () => clearTimeout(timer));
}
