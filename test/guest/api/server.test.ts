import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import t from 'tap';
import { z } from 'zod';
import type { Route } from '../../../guest/api/handler.ts';
import { Conflict, NotFound, NotModified } from '../../../guest/errors.ts';
import { decodeFrames, frame } from '../../../guest/frames.ts';
import { ask, dial, exchange, serve } from './client.ts';

const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle });
const post = (path: string, handle: Route['handle']): Route => ({ method: 'POST', path, handle });

/** Answers its own input, upper-cased, and says what the JSON body was first. */
const shout = post('/shout', async (request) => {
  const body = await request.json(z.object({ greeting: z.string().default('') }));
  const connection = await request.hijack({ multiplexed: true });
  connection.write(`<${body.greeting}>`);
  connection.on('data', (chunk: Buffer) => connection.write(chunk.toString().toUpperCase()));
  connection.on('end', () => connection.end('[eof]'));
  return { hijacked: true };
});

t.test('every answer names the API, and a version in the path is taken off', async (t) => {
  const { path } = await serve(t, [
    get('/x/:id', ({ params, apiMinor }) => ({ json: { ...params, apiMinor } })),
  ]);
  const plain = await ask(path, 'GET /x/a%2Db');
  t.equal(plain.body, '{"id":"a-b","apiMinor":50}\n');
  for (const header of [
    'Api-Version: 1.50',
    'Docker-Experimental: false',
    'Ostype: linux',
    'Server: Docker/',
  ])
    t.match(plain.head, header);
  t.equal((await ask(path, 'GET /v1.41/x/y')).body, '{"id":"y","apiMinor":41}\n');
});

t.test("versions outside the range are refused in dockerd's words", async (t) => {
  const { path } = await serve(t, [get('/x', () => ({ json: 1 }))]);
  t.match(await ask(path, 'GET /v1.99/x'), {
    status: 400,
    body: '{"message":"client version 1.99 is too new. Maximum supported API version is 1.50"}\n',
  });
  t.match(await ask(path, 'GET /v1.12/x'), {
    status: 400,
    body: 'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade',
  });
});

t.test('a request is refused when its body has come, however early the reason', async (t) => {
  const { path } = await serve(t, [post('/x', () => Promise.reject(new Conflict('taken')))]);
  const socket = await dial(path);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.write('POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab');
  await ask(path, 'GET /nowhere');
  t.equal(answer, '');
  socket.write('cd');
  await once(socket, 'end');
  t.match(answer, /^HTTP\/1.1 409 /);
  socket.end();
});

t.test('held requests wait, and what is early does not', async (t) => {
  const { path, server } = await serve(t, [
    { ...get('/ping', () => ({ text: 'OK' })), early: true },
    get('/x', () => ({ json: 1 })),
  ]);
  let release = () => {};
  server.holdUntil(
    new Promise((resolve) => {
      release = resolve;
    }),
  );
  const order: string[] = [];
  const slow = ask(path, 'GET /x').then(({ body }) => order.push(`x ${body.trim()}`));
  await ask(path, 'GET /ping').then(({ body }) => order.push(`ping ${body}`));
  release();
  await slow;
  t.strictSame(order, ['ping OK', 'x 1']);
});

t.test('errors become a status and a message, and 304 has no body', async (t) => {
  const { path } = await serve(t, [
    get('/missing', () => Promise.reject(new NotFound('No such thing: x'))),
    get('/conflict', () => Promise.reject(new Conflict('taken'))),
    get('/same', () => Promise.reject(new NotModified('already'))),
    get('/bug', () => Promise.reject(new TypeError('oops'))),
  ]);
  t.match(await ask(path, 'GET /missing'), { status: 404, body: '{"message":"No such thing: x"}\n' });
  t.match(await ask(path, 'GET /conflict'), { status: 409 });
  t.match(await ask(path, 'GET /same'), { status: 304, body: /^$/ });
  t.match(await ask(path, 'GET /bug'), { status: 500, body: '{"message":"oops"}\n' });
  t.match(await ask(path, 'GET /nowhere'), { status: 404, body: '{"message":"page not found"}\n' });
  t.match(await ask(path, 'POST /same'), { status: 404, body: '{"message":"page not found"}\n' });
  t.match(await ask(path, 'GET /%zz'), { status: 400 });
});

t.test('a JSON body is checked, and the error names the field', async (t) => {
  const schema = z.object({ a: z.object({ b: z.number() }) });
  const { path } = await serve(t, [post('/x', async (request) => ({ json: await request.json(schema) }))]);
  t.equal((await ask(path, 'POST /x', '{"a":{"b":1}}')).body, '{"a":{"b":1}}\n');
  t.match(await ask(path, 'POST /x', '{"a":{"b":"1"}}'), {
    status: 400,
    body: 'into field a.b of type int64',
  });
  t.match(await ask(path, 'POST /x', '{'), { status: 400, body: 'invalid JSON: ' });
  t.match(await ask(path, 'POST /x', '{}', 'Content-Type: text/plain\r\n'), {
    status: 400,
    body: "unsupported Content-Type header (text/plain): must be 'application/json'",
  });
  t.match(await exchange(path, 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n{'), '413');
});

t.test('a stream is sent as it comes and its header at once', async (t) => {
  const source = new PassThrough();
  const { path } = await serve(t, [get('/s', () => ({ stream: source, contentType: 'application/json' }))]);
  const socket = await dial(path);
  socket.write('GET /s HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match((await once(socket, 'data')).toString(), 'HTTP/1.1 200 OK');
  source.write('{"n":1}\n');
  t.match((await once(socket, 'data')).toString(), '{"n":1}');
  socket.destroy();
  await once(source, 'close');
  t.ok(source.destroyed, 'the source is destroyed when the client goes away');
});

t.test('an error after a stream began is its last line', async (t) => {
  const { path } = await serve(t, [
    get('/s', () => ({
      contentType: 'application/json',
      stream: Readable.from(
        (async function* () {
          yield '{"n":1}\n';
          throw new Error('disk full');
        })(),
      ),
    })),
  ]);
  const { status, body } = await ask(path, 'GET /s');
  t.equal(status, 200);
  t.match(body, '{"errorDetail":{"message":"disk full"},"error":"disk full"}');
});

t.test('the signal is aborted when the client goes away', async (t) => {
  let started = (_: AbortSignal) => {};
  const handled = new Promise<AbortSignal>((resolve) => {
    started = resolve;
  });
  const { path } = await serve(t, [
    get('/slow', ({ signal }) => {
      started(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }),
  ]);
  const socket = await dial(path);
  socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  const signal = await handled;
  t.notOk(signal.aborted);
  socket.destroy();
  await once(signal, 'abort');
});

const upgrade = (body: string) =>
  'POST /shout HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\n' +
  `Content-Length: ${body.length}\r\n\r\n${body}`;

t.test('an upgrade takes the JSON body and leaves the rest as stdin', async (t) => {
  const { path } = await serve(t, [shout]);
  const socket = await dial(path);
  // All in one packet: the hardest case, since node gives body and stdin alike as `head`.
  socket.write(`${upgrade('{"greeting":"hi"}')}abc`);
  socket.end();
  const text = await readAll(socket);
  t.match(text, /^HTTP\/1\.1 101 UPGRADED\r\n/);
  t.match(text, 'Content-Type: application/vnd.docker.multiplexed-stream\r\n');
  t.match(text, 'Connection: Upgrade\r\nUpgrade: tcp\r\n');
  t.match(text, /<hi>ABC\[eof\]$/, 'what the client sent after the body came in, its end too');
});

t.test('an upgrade body that arrives in pieces is put together', async (t) => {
  const { path } = await serve(t, [shout]);
  const socket = await dial(path);
  const text = upgrade('{"greeting":"hi"}');
  socket.write(text.slice(0, -10));
  setImmediate(() => setImmediate(() => socket.end(`${text.slice(-10)}x`)));
  t.match(await readAll(socket), /<hi>X\[eof\]$/);
});

const chunkedUpgrade =
  'POST /shout HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\n' +
  'Transfer-Encoding: chunked\r\n\r\n';

t.test('a chunked upgrade body is put together, wherever its pieces are cut', async (t) => {
  const { path } = await serve(t, [shout]);
  const text = `${chunkedUpgrade}5;x=y\r\n{"gre\r\nC\r\neting":"hi"}\r\n0\r\nA: b\r\n\r\nabc`;
  for (const cut of [1, 3, 4, 9, 18, 24, 30]) {
    const socket = await dial(path);
    socket.write(text.slice(0, -cut));
    setImmediate(() => setImmediate(() => socket.end(text.slice(-cut))));
    t.match(await readAll(socket), /<hi>ABC\[eof\]$/, `${cut} bytes late`);
  }
});

t.test('a chunked upgrade body that nobody reads is no input, and need not end', async (t) => {
  const raw = post('/shout', async (request) => {
    const stream = await request.hijack({ multiplexed: false });
    for await (const chunk of stream) stream.write(String(chunk).toUpperCase());
    stream.end('[eof]');
    return { hijacked: true };
  });
  const { path } = await serve(t, [raw]);
  t.match(await finish(path, `${chunkedUpgrade}0\r\n\r\nabc`), /\r\n\r\nABC\[eof\]$/);
  t.match(await finish(path, `${chunkedUpgrade}abc`), /\r\n\r\nABC\[eof\]$/);
  t.match(await finish(path, `${chunkedUpgrade}abcdefgh`), /\r\n\r\nABCDEFGH\[eof\]$/);
  const socket = await dial(path);
  socket.write(chunkedUpgrade);
  t.match(String((await once(socket, 'data'))[0]), '101 UPGRADED', 'answered before there is a body');
  socket.end('abc');
  t.match(await readAll(socket), /ABC\[eof\]$/);
});

t.test('a chunked upgrade body that is none is refused', async (t) => {
  const { path } = await serve(t, [shout]);
  for (const wrong of ['xyz\r\n', '2\r\n{}x\r\n', '99999999\r\n', 'f'.repeat(2000)])
    t.match(await finish(path, chunkedUpgrade + wrong), /^HTTP\/1\.1 4\d\d /, wrong.slice(0, 20));
});

t.test('clients before API 1.42 are told raw-stream', async (t) => {
  const { path } = await serve(t, [shout]);
  const text = await finish(path, upgrade('').replace('/shout', '/v1.41/shout'));
  t.match(text, 'application/vnd.docker.raw-stream');
});

t.test('without Upgrade the answer is 200 and raw, both ways', async (t) => {
  const { path } = await serve(t, [shout]);
  const socket = await dial(path);
  const body = '{"greeting":"old"}';
  socket.write(
    `POST /shout HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const [first] = (await once(socket, 'data')) as [Buffer];
  t.match(first.toString(), /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/);
  socket.end('abc');
  t.match(await readAll(socket), /ABC\[eof\]$/);
});

t.test('Upgrade without the Connection that belongs to it is an upgrade, as with moby', async (t) => {
  const { path } = await serve(t, [shout]);
  const socket = await dial(path);
  const body = '{"greeting":"odd"}';
  socket.write(
    `POST /shout HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const [first] = (await once(socket, 'data')) as [Buffer];
  t.match(first.toString(), /^HTTP\/1\.1 101 UPGRADED\r\n/);
  socket.end('abc');
  t.match(await readAll(socket), /ABC\[eof\]$/);
});

t.test('a refused upgrade is an ordinary error', async (t) => {
  const { path } = await serve(t, [post('/shout', () => Promise.reject(new Conflict('is not running')))]);
  t.match(
    await exchange(path, upgrade('{}')),
    /^HTTP\/1\.1 409 Conflict\r\n.*{"message":"is not running"}\n$/s,
  );
});

t.test('an upgrade whose body never comes, or lies about its length, harms nobody', async (t) => {
  const { path } = await serve(t, [shout]);
  const socket = await dial(path);
  socket.end(upgrade('{"greeting":"hi"}').slice(0, -3));
  t.match(await readAll(socket), '400 Bad Request');
  t.match(
    await exchange(path, upgrade('').replace('Content-Length: 0', 'Content-Length: 99999999999')),
    '413',
  );
  t.match(await finish(path, upgrade('{}')), '101 UPGRADED');
});

t.test('a connection that is not used is closed without a word', async (t) => {
  const { path } = await serve(t, [get('/x', () => ({ json: 1 }))], { headersTimeoutMs: 50 });
  const silent = await dial(path);
  t.equal(await readAll(silent), '');
  silent.destroy();
  t.equal(await exchange(path, 'GET /x HTT'), '');
  t.equal((await ask(path, 'GET /x')).status, 200);
});

t.test('garbage on the connection is answered with 400 and the server lives', async (t) => {
  const { path } = await serve(t, [get('/x', () => ({ json: 1 }))]);
  for (const garbage of [
    '\0\0\0\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ])
    t.match(await exchange(path, garbage), '400 Bad Request', JSON.stringify(garbage));
  t.match(await exchange(path, `GET /${'x'.repeat(99_999)} HTTP/1.1\r\n\r\n`), '431');
  t.equal((await ask(path, 'GET /x')).status, 200);
});

t.test('frames are told apart again on the other side', async (t) => {
  const bytes = Buffer.concat([frame('stdout', Buffer.from('out')), frame('stderr', Buffer.from('err'))]);
  const got = [];
  for await (const { name, data } of decodeFrames(
    Readable.from([...bytes].map((byte) => Buffer.from([byte]))),
  ))
    got.push(`${name}:${data}`);
  t.same(got, ['stdout:out', 'stderr:err']);
});

async function readAll(socket: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

/** Sends, closes the writing side, reads to the end. */
async function finish(path: string, request: string): Promise<string> {
  const socket = await dial(path);
  socket.end(request);
  return readAll(socket);
}
