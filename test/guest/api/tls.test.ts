import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import t from 'tap';
import type { Route } from '../../../guest/api/handler.ts';
import { type ApiServer, createApiServer } from '../../../guest/api/server.ts';
import { noLog } from '../../../guest/log.ts';
import { issueAuthority, issueClient, issueServer } from '../../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../../provisioning/certs/key-pair.ts';

const key = await rsaPrivateKey(2048);
const authority = issueAuthority({ key });
const server = issueServer({ authority, key, names: ['localhost'], commonName: 'dev' });
const renewed = issueServer({ authority, key, names: ['localhost'], commonName: 'renewed' });
const client = issueClient({ authority, key });
const stranger = issueClient({ authority: issueAuthority({ key }), key });

const echo: Route = {
  method: 'POST',
  path: '/echo',
  async handle(request) {
    const connection = await request.hijack({ multiplexed: false });
    let input = '';
    connection.on('data', (chunk) => {
      input += chunk;
    });
    // Everything is said after the client has finished: lost unless the connection is half-open.
    connection.on('end', () => connection.end(`said: ${input}`));
    return { hijacked: true };
  },
};

async function listen(t: { teardown(end: () => unknown): void }): Promise<{ api: ApiServer; port: number }> {
  const api = createApiServer({
    routes: [echo, { method: 'GET', path: '/x', handle: () => ({ json: 1 }) }],
    log: noLog,
  });
  t.teardown(() => api.close());
  return { api, port: await api.listenTls('127.0.0.1', 0, { ca: authority.cert, ...server }) };
}

async function dial(port: number, options: ConnectionOptions = client): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.cert,
    allowHalfOpen: true,
    ...options,
  } as ConnectionOptions);
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

const get = 'GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const upgrade =
  'POST /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n';

t.test('output after the client closed its writing side is not lost over TLS', async (t) => {
  const { port } = await listen(t);
  const socket = await dial(port);
  socket.end(`${upgrade}abc`);
  t.match(await text(socket), /101 UPGRADED.*said: abc$/s);
});

t.test('a client without a certificate, or with one of another authority, is refused', async (t) => {
  const { port } = await listen(t);
  for (const options of [{}, stranger]) {
    // With TLS 1.3 the client learns of it when it reads.
    const socket = await dial(port, options);
    socket.write(get);
    t.equal(await text(socket).catch(() => ''), '');
  }
  const socket = await dial(port);
  socket.write(get);
  t.match(await text(socket), '200 OK');
});

t.test('TLS 1.1 is refused', async (t) => {
  const { port } = await listen(t);
  const socket = connect({
    port,
    host: '127.0.0.1',
    ...client,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  t.match(error.message, /protocol version|unsupported protocol/i);
});

t.test('a renewed certificate serves new connections and leaves open ones alone', async (t) => {
  const { api, port } = await listen(t);
  const old = await dial(port);
  old.write(upgrade);
  await once(old, 'data');
  api.renewTls({ ca: authority.cert, ...renewed });
  const fresh = await dial(port);
  t.equal(fresh.getPeerCertificate().subject.CN, 'renewed');
  fresh.write(get);
  t.match(await text(fresh), '200 OK');
  old.end('still here');
  t.match(await text(old), 'said: still here');
});
