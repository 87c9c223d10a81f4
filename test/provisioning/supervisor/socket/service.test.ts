import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import { machineCertificates } from '../../../../provisioning/certs/machine-certificates.ts';
import { Sleep } from '../../../../provisioning/supervisor/sleep.ts';
import { apiSocketOf } from '../../../../provisioning/supervisor/socket/path.ts';
import { socketService } from '../../../../provisioning/supervisor/socket/service.ts';
import { readToEnd } from '../../../helpers/read-to-end.ts';
import { supervisedMachine } from '../supervised-machine.ts';

/** The socket of a machine whose engine is `serve`, behind mutual TLS. */
async function served(t: Test, serve: (client: TLSSocket) => void, { also = '' } = {}) {
  const { store, machine } = await supervisedMachine(t);
  if (also !== '') writeFileSync(machine.paths.alsoAt, also);
  const signal = new AbortController().signal;
  await machineCertificates(store.paths, machine.paths, machine.record, { signal });
  const { ca, serverCert, serverKey } = machine.paths;
  const options: TlsOptions & { allowHalfOpen: boolean } = {
    ca: readFileSync(ca),
    cert: readFileSync(serverCert),
    key: readFileSync(serverKey),
    requestCert: true,
    rejectUnauthorized: true,
    allowHalfOpen: true,
  };
  const resumed: boolean[] = [];
  const server = createServer(options, (client) => {
    resumed.push(client.isSessionReused());
    client.on('error', () => {});
    serve(client);
  });
  const raw: Socket[] = [];
  server.on('connection', (socket) => raw.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const driver = Object.assign(machine.driver, { endpoints: async () => ({ url, ip: '127.0.0.1' }) });
  const ended = new AbortController();
  const log: string[] = [];
  let running = Promise.resolve();
  await new Promise<void>((ready) => {
    running = socketService.run({
      machine: { ...machine, driver },
      signal: ended.signal,
      sleep: new Sleep(),
      ready,
      log: { info: (line) => log.push(line), error: (line) => log.push(line) },
    });
  });
  const { path } = apiSocketOf(machine.paths);
  const end = async () => {
    ended.abort();
    server.close();
    await running;
  };
  t.teardown(end);
  const open = () => connect({ path, allowHalfOpen: true });
  return { path, open, end, resumed, server, raw, log };
}

t.test('bytes go both ways, and each direction ends by itself', async (t) => {
  const { open, path, end, resumed } = await served(t, async (client) => {
    const said = await readToEnd(client);
    client.end(`${said} and back`);
  });
  t.equal(statSync(path).mode & 0o777, 0o600);
  for (const word of ['there', 'again']) {
    const client = open();
    client.end(word);
    t.equal(await text(client), `${word} and back`);
  }
  t.same(resumed, [false, true], 'the second connection needs no handshake with keys');
  await end();
  t.notOk(existsSync(path));
});

t.test('it may be at a second place, and is where it always is when that cannot be had', async (t) => {
  const said = async (client: TLSSocket) => void client.end(`${await readToEnd(client)} and back`);
  const ask = async (path: string) => {
    const client = connect({ path, allowHalfOpen: true });
    client.end('there');
    return await text(client);
  };
  // Sockets have short paths.
  const directory = mkdtempSync(join(tmpdir(), 'also-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const also = join(directory, 'also.sock');
  const { path, end } = await served(t, said, { also });
  t.equal(await ask(also), 'there and back');
  t.equal(statSync(also).mode & 0o777, 0o600);
  t.equal(await ask(path), 'there and back');
  await end();
  t.notOk(existsSync(also));

  const nowhere = join(directory, 'gone', 'also.sock');
  const other = await served(t, said, { also: nowhere });
  t.equal(await ask(other.path), 'there and back');
  t.same(other.log, [`not at ${nowhere}`]);
});

t.test('when one side breaks, so does the other', async (t) => {
  const engineSide: TLSSocket[] = [];
  const { open, raw } = await served(t, (client) => {
    engineSide.push(client);
    client.write('hello');
  });
  const vanishing = open();
  await once(vanishing, 'data');
  vanishing.destroy();
  // As over TCP: a client that is gone is known when it is written to.
  const gone = new Promise((resolve) => engineSide[0]!.once('close', resolve));
  const ticking = setInterval(() => engineSide[0]!.write('tick'), 5);
  await gone;
  clearInterval(ticking);

  const cut = open();
  cut.on('error', () => {});
  await once(cut, 'data');
  raw[1]!.resetAndDestroy();
  await once(cut.resume(), 'end');
  cut.destroy();
});

t.test('a slow reader stops the engine, not the memory', async (t) => {
  const sent = { bytes: 0 };
  const chunk = Buffer.alloc(1024 * 1024);
  const { open } = await served(t, (client) => {
    const more = () => {
      do sent.bytes += chunk.length;
      while (sent.bytes < 256 * chunk.length && client.write(chunk));
    };
    client.on('drain', more);
    more();
  });
  const client = open();
  await once(client, 'connect');
  client.pause();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  t.ok(sent.bytes < 32 * chunk.length, `${sent.bytes} bytes`);
  client.destroy();
});

t.test('an engine that cannot be reached is an error of the API', async (t) => {
  const { path, server, end, log } = await served(t, () => {});
  server.close();
  const body = Buffer.alloc(3 * 1024 * 1024);
  const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    request({ socketPath: path, path: '/v1.43/build', method: 'POST' }, async (response) =>
      resolve({ status: response.statusCode, body: await text(response) }),
    )
      .on('error', reject)
      .end(body);
  });
  t.equal(answer.status, 502);
  t.match(JSON.parse(answer.body), {
    message: /^the engine of machine "dev" cannot be reached; machine doctor dev/,
  });
  t.equal(log.length, 1);
  await end();
});

t.test('a socket is in the machine’s directory as long as it fits, or a pipe', async (t) => {
  t.same(apiSocketOf({ directory: '/home/u/.machine/machines/dev' }, 'linux'), {
    path: '/home/u/.machine/machines/dev/docker.sock',
    shortDirectory: null,
    url: 'unix:///home/u/.machine/machines/dev/docker.sock',
  });
  const deep = apiSocketOf({ directory: `/home/${'u'.repeat(90)}/machines/dev` }, 'darwin');
  t.match(deep.path, /^\/tmp\/machine-[0-9a-f]{16}\/docker\.sock$/);
  t.equal(deep.path, `${deep.shortDirectory}/docker.sock`);
  t.match(apiSocketOf({ directory: '/m/dev' }, 'win32'), {
    path: '\\\\.\\pipe\\machine-dev',
    url: 'npipe:////./pipe/machine-dev',
  });
});

t.test('a client that leaves at once is none', async (t) => {
  const seen: TLSSocket[] = [];
  const { open, log } = await served(t, (client) => seen.push(client));
  const client: Socket = open();
  await once(client, 'connect');
  client.destroy();
  const other = open();
  other.write('x');
  while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  other.destroy();
  t.same(log, []);
});
