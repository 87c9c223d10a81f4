import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { Unreachable } from '../../../guest/registry/errors.ts';
import { type OutgoingRequest, Transport } from '../../../guest/registry/transport.ts';
import { issueAuthority, issueClient, issueServer } from '../../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../../provisioning/certs/key-pair.ts';
import { FakeRegistry } from '../../helpers/fake-registry.ts';

const { signal } = new AbortController();
const get = (url: string, more: Partial<OutgoingRequest> = {}): OutgoingRequest => ({
  method: 'GET',
  url: new URL(url),
  verify: false,
  signal,
  ...more,
});
const plain = () => new Transport({ certificateDirectory: '/nonexistent', env: {} });

t.test('a redirect to another host goes without what says who we are', async (t) => {
  const heard: (string | undefined)[] = [];
  const [first, second] = [await FakeRegistry.open(t), await FakeRegistry.open(t)];
  for (const registry of [first, second]) {
    registry.intercept = ({ url, headers }, response) => {
      heard.push(headers.authorization);
      if (url === '/same') response.writeHead(307, { Location: '/other' }).end();
      else if (url === '/other') response.writeHead(302, { Location: `${second.url}/end` }).end();
      else response.end('here');
      return true;
    };
  }
  const headers = { Authorization: 'Basic c2VjcmV0' };
  const response = await plain().send(get(`${first.url}/same`, { headers }));
  t.equal((await buffer(response.body)).toString(), 'here');
  t.same(heard, [headers.Authorization, headers.Authorization, undefined]);
});

t.test('redirects that lead nowhere are errors that say so', async (t) => {
  const registry = await FakeRegistry.open(t);
  registry.intercept = ({ url }, response) => {
    const Location = url!.startsWith('/round')
      ? '/round'
      : url === '/file'
        ? 'file:///etc/passwd'
        : 'http://:::/';
    response.writeHead(302, { Location }).end();
    return true;
  };
  await t.rejects(plain().send(get(`${registry.url}/round?secret=1`)), {
    message: `Get "${registry.url}/round": stopped after 10 redirects`,
  });
  for (const path of ['/file', '/bad'])
    await t.rejects(plain().send(get(`${registry.url}${path}`)), {
      message: /redirected to no http or https URL/,
    });
});

t.test('hostile answers are errors, not the end of the engine', async (t) => {
  const table: [string, RegExp][] = [
    [`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, /too large a header/],
    ['SSH-2.0-OpenSSH\r\n', /malformed HTTP response/],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', /malformed HTTP response/],
    ['', /the connection was cut/],
  ];
  for (const [answer, message] of table) {
    const url = await serveRaw(t, (socket) => socket.end(answer));
    await t.rejects(plain().send(get(url)), { message, constructor: Unreachable }, String(message));
  }
  await t.rejects(plain().send(get('http://127.0.0.1:9/v2/')), {
    message: 'Get "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused',
  });
});

t.test('an authority and a certificate of ours are those of the registry’s directory', async (t) => {
  const key = await rsaPrivateKey(2048);
  const authority = issueAuthority({ key });
  const names = ['127.0.0.1'];
  const { cert } = issueServer({ authority, key, names, commonName: 'registry' });
  const registry = await FakeRegistry.open(t, {
    ...{ cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
  });
  const client = issueClient({ authority, key });
  const send = (files: object, verify: boolean) => {
    const certificateDirectory = t.testdir({ [registry.host]: files as Record<string, string> });
    return new Transport({ certificateDirectory, env: {} }).send(get(`${registry.url}/v2/`, { verify }));
  };
  const pair = { 'client.cert': client.cert, 'client.key': key };
  const response = await send({ 'ca.crt': authority.cert, ...pair }, true);
  t.equal(response.status, 200);
  response.body.resume();
  await t.rejects(send(pair, true), { message: /x509: certificate signed by unknown authority/ });
  await t.rejects(send({ 'ca.crt': authority.cert }, true), Unreachable);
  const insecure = await send(pair, false);
  t.equal(insecure.status, 200);
  insecure.body.resume();
});

t.test('from TLS nothing leads to plain HTTP', async (t) => {
  const key = await rsaPrivateKey(2048);
  const authority = issueAuthority({ key });
  const { cert } = issueServer({ authority, key, names: ['127.0.0.1'], commonName: 'registry' });
  const registry = await FakeRegistry.open(t, { cert, key });
  registry.intercept = (_, response) => {
    response.writeHead(302, { Location: 'http://127.0.0.1:9/' }).end();
    return true;
  };
  await t.rejects(plain().send(get(registry.url)), {
    message: /redirected from https to "http:\/\/127\.0\.0\.1:9"/,
  });
});

t.test('proxies are asked for hosts that are elsewhere', async (t) => {
  const key = await rsaPrivateKey(2048);
  const authority = issueAuthority({ key });
  const { cert } = issueServer({ authority, key, names: ['registry.test'], commonName: 'registry' });
  const registry = await FakeRegistry.open(t, { cert, key });
  const asked: { line: string; headers: IncomingHttpHeaders }[] = [];
  const proxy = createServer(({ method, url, headers }, response) => {
    asked.push({ line: `${method} ${url}`, headers });
    response.end('by proxy');
  });
  proxy.on('connect', ({ method, url, headers }, socket: Socket) => {
    asked.push({ line: `${method} ${url}`, headers });
    const upstream = connect(Number(registry.host.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => {});
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const url = `http://user:word@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const certificateDirectory = t.testdir({ 'registry.test:5000': { 'ca.crt': authority.cert } });
  const transport = new Transport({ certificateDirectory, env: { HTTP_PROXY: url, HTTPS_PROXY: url } });
  const headers = { Authorization: 'Basic c2VjcmV0' };
  const secure = await transport.send(get('https://registry.test:5000/v2/', { verify: true, headers }));
  t.equal((await buffer(secure.body)).toString(), '{}');
  const open = await transport.send(get('http://registry.test:5000/v2/'));
  t.equal((await buffer(open.body)).toString(), 'by proxy');
  t.same(
    asked.map(({ line }) => line),
    ['CONNECT registry.test:5000', 'GET http://registry.test:5000/v2/'],
  );
  const credentials = `Basic ${Buffer.from('user:word').toString('base64')}`;
  for (const { headers: sent } of asked) {
    t.equal(sent['proxy-authorization'], credentials);
    t.equal(sent.authorization, undefined, 'the registry’s credentials are not for the proxy');
  }
});

t.test('a proxy that is not there is told from a registry that is not there', async (t) => {
  const nowhere = 'http://127.0.0.1:9';
  const transport = (url: string) =>
    new Transport({ certificateDirectory: '/nonexistent', env: { HTTP_PROXY: url, HTTPS_PROXY: url } });
  for (const scheme of ['http', 'https'])
    await t.rejects(transport(nowhere).send(get(`${scheme}://registry.test/v2/`)), {
      message: `Get "${scheme}://registry.test/v2/": proxyconnect tcp: dial tcp 127.0.0.1:9: connect: connection refused`,
    });
  await t.rejects(transport('http://no-proxy.invalid:3128').send(get('https://registry.test/v2/')), {
    message: /: proxyconnect tcp: dial tcp: lookup no-proxy\.invalid: /,
  });
  await t.rejects(plain().send(get(`${nowhere}/v2/`)), { message: /": dial tcp 127\.0\.0\.1:9: connect/ });
});

t.test('a proxy that refuses is heard', async (t) => {
  const proxy = createServer();
  proxy.on('connect', (_, socket: Socket) => socket.end('HTTP/1.1 403 Not for you\r\n\r\n'));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const transport = new Transport({ certificateDirectory: '/nonexistent', env: { HTTPS_PROXY } });
  await t.rejects(transport.send(get('https://registry.test/v2/')), Unreachable);
  await t.rejects(transport.send(get('https://registry.test/v2/')), { message: /403/ });
});

async function serveRaw(
  t: { teardown(close: () => unknown): unknown },
  answer: (socket: Socket) => void,
): Promise<string> {
  const { createServer: createRaw } = await import('node:net');
  const server = createRaw((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
