import { connect } from 'node:net';
import t from 'tap';
import { z } from 'zod';
import type { Route } from '../../../guest/api/handler.ts';
import { ask, serve } from './client.ts';

/** As many as a second or two holds; the numbers that failed can be tried again by their seed. */
const rounds = 600;

const routes: Route[] = [
  { method: 'GET', path: '/x', handle: ({ query }) => ({ json: [...query.filters()] }) },
  { method: 'GET', path: '/images/**name/json', handle: ({ params }) => ({ json: params }) },
  {
    method: 'POST',
    path: '/x',
    handle: async (request) => ({ json: await request.json(z.object({ a: z.string().optional() })) }),
  },
  {
    method: 'POST',
    path: '/attach',
    async handle(request) {
      await request.json(z.looseObject({}));
      const connection = await request.hijack({ multiplexed: true });
      connection.pipe(connection);
      return { hijacked: true };
    },
  },
];

const wellFormed = [
  'GET /v1.44/x?filters={"a":["b"]} HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /images/a%2Fb/json HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a":"b"}',
  'POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"a":"b"}\r\n0\r\n\r\n',
  'POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}stdin',
  'POST /attach HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}stdin',
];

t.test('no request, however broken and however it is cut off, ends the server', async (t) => {
  const { path } = await serve(t, routes);
  const mistakes: unknown[] = [];
  const note = (error: unknown) => mistakes.push(error);
  process.on('unhandledRejection', note);
  for (let seed = 1; seed <= rounds; seed++) {
    const random = generator(seed);
    await throwAt(path, mutate(wellFormed[seed % wellFormed.length]!, random), random);
    if (mistakes.length > 0) t.comment(`seed ${seed}`);
  }
  process.off('unhandledRejection', note);
  t.same(mistakes, []);
  t.match(await ask(path, 'GET /x'), { status: 200 });
});

/** Some bytes are changed, left out, doubled, or cut off at the end. */
function mutate(request: string, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(request);
  for (let i = random(4); i >= 0; i--) {
    const at = random(bytes.length);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const change = [
      () => Buffer.concat([before, Buffer.from([random(256)]), after.subarray(1)]),
      () => Buffer.concat([before, after.subarray(random(8))]),
      () => Buffer.concat([before, after.subarray(0, random(20)), after]),
      () => before,
    ][random(4)]!;
    bytes = change();
  }
  return bytes;
}

/** Sends it in one or two pieces; then closes politely, resets, or waits for the answer. */
function throwAt(path: string, bytes: Buffer, random: (below: number) => number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('end', () => socket.end());
    const cut = random(bytes.length + 1);
    socket.write(bytes.subarray(0, cut));
    setImmediate(() => {
      socket.write(bytes.subarray(cut));
      if (random(2) === 0) socket.destroy();
      else socket.end(() => socket.resume());
    });
  });
}

/** The same numbers for the same seed (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return below === 0 ? 0 : ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
