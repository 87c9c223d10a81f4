import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { Route } from '../../../guest/api/handler.ts';
import { createApiServer } from '../../../guest/api/server.ts';
import { noLog } from '../../../guest/log.ts';

/** A server with these routes on a unix socket of its own, closed at the test's end. */
export async function serve(t: Test, routes: Route[], options: { headersTimeoutMs?: number } = {}) {
  // Not t.testdir(): a socket's path holds 107 bytes at most.
  const directory = await mkdtemp(join(tmpdir(), 'machine-api-'));
  const path = join(directory, 's');
  const server = createApiServer({ routes, log: noLog, ...options });
  await server.listenUnix(path);
  t.teardown(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });
  return { server, path };
}

/** Writes bytes as they are, reads all that comes until the server ends. */
export async function exchange(path: string, request: string | Buffer): Promise<string> {
  const socket = await dial(path);
  socket.write(request);
  return (await buffer(socket)).toString();
}

export function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

/** One request on a connection of its own. */
export async function ask(
  path: string,
  line: string,
  body = '',
  headers = 'Content-Type: application/json\r\n',
) {
  const text = await exchange(
    path,
    `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n') };
}
