import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Methods, serveGrpc } from '../../../../guest/builder/buildkit/grpc/server.ts';
import { type Session, Sessions } from '../../../../guest/builder/buildkit/session/sessions.ts';

/** Two ends of one connection, closed at the test's end. */
export async function socketPair(t: Test): Promise<[Socket, Socket]> {
  const path = join(tmpdir(), `pair-${randomBytes(6).toString('hex')}.sock`);
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const near = connect(path);
  const [far] = (await accepted) as [Socket];
  server.close();
  for (const socket of [near, far]) {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
  }
  return [near, far];
}

/** A session with a client that serves `methods`, as buildx does. */
export async function openSession(t: Test, methods: Methods): Promise<Session> {
  const [near, far] = await socketPair(t);
  const { signal } = new AbortController();
  void serveGrpc(far, methods, { signal, onError: (error) => t.error(error) });
  const sessions = new Sessions();
  void sessions.serve(
    near,
    {
      'x-docker-expose-session-uuid': 'one',
      'x-docker-expose-session-sharedkey': 'dir:node',
      'x-docker-expose-session-grpc-method': [...methods.keys()].join(', '),
    },
    signal,
  );
  return sessions.get('one', signal);
}
