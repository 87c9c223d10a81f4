import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Forward, PortUnavailable } from '../../../../drivers/port-forwarder.ts';
import { freePorts } from '../../../../drivers/qemu/ports.ts';
import { ForwardTable } from '../../../../provisioning/supervisor/ports/forward-table.ts';
import { readToEnd } from '../../../helpers/read-to-end.ts';
import { MemoryForwarder } from './memory-forwarder.ts';

const tcp = (hostAddress: string, hostPort: number, guestPort = 80): Forward => ({
  protocol: 'tcp',
  hostAddress,
  hostPort,
  guestPort,
});

async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** One whose forwards of the loopback lead to a server here, as those of a machine lead to the guest's. */
class LoopbackForwarder extends MemoryForwarder {
  readonly #open = new Map<Forward, () => void>();
  readonly #toward: (forward: Forward) => Promise<() => void>;
  constructor(toward: (forward: Forward) => Promise<() => void>) {
    super();
    this.#toward = toward;
  }
  override async add(forward: Forward): Promise<void> {
    await super.add(forward);
    this.#open.set(forward, await this.#toward(forward));
  }
  override async remove(forward: Forward): Promise<void> {
    await super.remove(forward);
    this.#open.get(forward)?.();
  }
}

t.test('what is there from before is taken over, and what of it is not wanted goes', async (t) => {
  const forwarder = new MemoryForwarder();
  await forwarder.add(tcp('127.0.0.1', 8080));
  await forwarder.add(tcp('127.0.0.1', 8081));
  forwarder.done.length = 0;
  await using table = await ForwardTable.open(forwarder);
  t.strictSame(await table.become([tcp('127.0.0.1', 8080), tcp('0.0.0.0', 8082)]), []);
  t.strictSame(forwarder.done, ['remove tcp 127.0.0.1 8081', 'add tcp 0.0.0.0 8082']);
});

t.test('what fails is said, the rest is done, and it is tried again', async (t) => {
  const forwarder = new MemoryForwarder();
  forwarder.refused.set(80, 'EACCES');
  await using table = await ForwardTable.open(forwarder);
  const wanted = [tcp('127.0.0.1', 80), tcp('127.0.0.1', 8080)];
  const failed = await table.become(wanted);
  t.match(failed, [{ forward: wanted[0], error: { code: 'EACCES' } }]);
  t.strictSame(forwarder.done, ['add tcp 127.0.0.1 8080']);
  forwarder.refused.clear();
  t.strictSame(await table.become(wanted), []);
  t.strictSame(forwarder.done.slice(1), ['add tcp 127.0.0.1 80']);
});

t.test('IPv6 is relayed, half-closed as it comes, and its way is removed with it', async (t) => {
  const forwarder = new LoopbackForwarder(async ({ hostPort, hostAddress }) => {
    const server = createServer({ allowHalfOpen: true }, async (client) => {
      client.end(`said: ${await readToEnd(client)}`);
    }).listen(hostPort, hostAddress);
    await once(server, 'listening');
    return () => server.close();
  });
  await using table = await ForwardTable.open(forwarder);
  const port = await freePort();
  t.strictSame(await table.become([tcp('::1', port)]), []);
  const client = connect({ host: '::1', port, allowHalfOpen: true });
  client.end('hello');
  t.equal(await text(client), 'said: hello');
  t.strictSame(await table.become([tcp('::1', port)]), [], 'stays');
  t.equal(forwarder.done.length, 1);
  t.strictSame(await table.become([]), []);
  t.equal(forwarder.there.size, 0);
  const refused = connect({ host: '::1', port });
  t.match(await once(refused, 'error'), [{ code: 'ECONNREFUSED' }]);
});

t.test('connections that come all at once are relayed when the forwarder would drop some', async (t) => {
  const forwarder = new (class extends LoopbackForwarder {
    override readonly bursts = false;
  })(async ({ protocol, hostPort, hostAddress }) => {
    if (protocol === 'udp') return () => {};
    const server = createServer((client) => client.end('here')).listen(hostPort, hostAddress, 1);
    await once(server, 'listening');
    return () => server.close();
  });
  // What an earlier supervisor's relay led to.
  const [before = 0, port = 0] = await freePorts(2);
  await forwarder.add(tcp('127.0.0.1', before));
  await using table = await ForwardTable.open(forwarder);
  const wanted = [tcp('127.0.0.1', port), { ...tcp('127.0.0.1', port), protocol: 'udp' as const }];
  t.strictSame(await table.become(wanted), []);
  t.notOk(forwarder.there.has(`tcp 127.0.0.1 ${before}`));
  t.notOk(forwarder.there.has(`tcp 127.0.0.1 ${port}`), 'the relay listens there');
  t.ok(forwarder.there.has(`udp 127.0.0.1 ${port}`));
  const said = Array.from({ length: 100 }, () => text(connect({ host: '127.0.0.1', port })));
  t.ok((await Promise.all(said)).every((word) => word === 'here'));
  await table.become([]);
  t.equal(forwarder.there.size, 0);
});

t.test('who gives up before he was let in leaves his place to others', async (t) => {
  const script =
    'require("net").createServer(c=>c.end("here")).listen(+process.argv[2],process.argv[1],1,()=>console.log("up"))';
  let listening: ChildProcess | null = null;
  const forwarder = new (class extends LoopbackForwarder {
    override readonly bursts = false;
  })(async ({ hostAddress, hostPort }) => {
    const child = spawn(process.execPath, ['-e', script, hostAddress, String(hostPort)]);
    listening = child;
    await once(child.stdout, 'data');
    return () => void child.kill('SIGKILL');
  });
  await using table = await ForwardTable.open(forwarder);
  const port = await freePort();
  await table.become([tcp('127.0.0.1', port)]);
  // A QEMU whose main loop is busy: two wait in its queue, two for their place in it.
  listening!.kill('SIGSTOP');
  const clients = Array.from({ length: 4 }, () => connect({ host: '127.0.0.1', port }));
  await delay(300);
  for (const client of clients) client.resetAndDestroy();
  await delay(100);
  listening!.kill('SIGCONT');
  t.equal(await text(connect({ host: '127.0.0.1', port })), 'here');
  await table.become([]);
});

t.test('datagrams find their way back, each to its client', async (t) => {
  const forwarder = new LoopbackForwarder(async ({ hostPort, hostAddress }) => {
    const server = createSocket('udp4');
    server.on('message', (message, from) => server.send(`${message}!`, from.port, from.address));
    server.bind(hostPort, hostAddress);
    await once(server, 'listening');
    return () => server.close();
  });
  await using table = await ForwardTable.open(forwarder);
  const port = await freePort();
  t.strictSame(await table.become([{ ...tcp('::1', port), protocol: 'udp' }]), []);
  for (const word of ['one', 'two']) {
    const client = createSocket('udp6');
    client.send(word, port, '::1');
    const [answer] = await once(client, 'message');
    t.equal(String(answer), `${word}!`);
    client.close();
  }
  await table.become([]);
});

/** Echoes, and keeps who is connected when it stops listening, as QEMU does. */
const echo = async ({ hostAddress, hostPort }: Forward) => {
  const server = createServer((client) => client.on('error', () => {}).pipe(client));
  server.listen(hostPort, hostAddress);
  await once(server, 'listening');
  return () => void server.close();
};

t.test('the way of a relay gives its place to who asks for it, and cuts nobody', async (t) => {
  const forwarder = new (class extends LoopbackForwarder {
    override readonly bursts = false;
  })(echo);
  await using table = await ForwardTable.open(forwarder);
  const [port = 0] = await freePorts(1);
  const first = tcp('127.0.0.1', port);
  t.strictSame(await table.become([first]), []);
  const client = connect({ host: '127.0.0.1', port });
  client.write('before');
  t.equal(String((await once(client, 'data'))[0]), 'before');

  const [inner] = await forwarder.list();
  const asked = { ...inner!, guestPort: 81 };
  t.strictSame(await table.become([first, asked]), []);
  const ways = await forwarder.list();
  t.equal(ways.length, 2);
  t.notOk(
    ways.some(({ hostAddress }) => hostAddress === inner!.hostAddress),
    'a relay listens there',
  );
  client.write('after');
  t.equal(String((await once(client, 'data'))[0]), 'after', 'the connection is still there');
  client.destroy();
  for (const { hostAddress, hostPort } of [first, asked]) {
    const next = connect({ host: hostAddress, port: hostPort });
    next.write('new');
    t.equal(String((await once(next, 'data'))[0]), 'new');
    next.destroy();
  }
  t.strictSame(await table.become([asked]), []);
  t.equal(forwarder.there.size, 1);
  await table.become([]);
});

/** As QEMU's: two wait to be accepted, and each comes from a port of its own. */
class CrowdedForwarder extends LoopbackForwarder {
  override readonly bursts = false;
  readonly sources: number[] = [];
  constructor() {
    super(async ({ hostAddress, hostPort }) => {
      const server = createServer((client) => {
        this.sources.push(client.remotePort!);
        client.on('error', () => {}).pipe(client);
      });
      server.listen(hostPort, hostAddress, 1);
      await once(server, 'listening');
      return () => void server.close();
    });
  }
}

/** Each says something and has it back. */
async function crowd(t: Test, port: number, size: number) {
  const sockets = Array.from({ length: size }, () => connect({ host: '127.0.0.1', port }));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const answers = sockets.map(async (socket, i) => {
    socket.write(`word ${i}`);
    return String((await once(socket, 'data', { signal: AbortSignal.timeout(30_000) }))[0]) === `word ${i}`;
  });
  t.ok((await Promise.all(answers)).every(Boolean), 'each has its own answer');
  return sockets;
}

t.test('a crowd has more ways in, which go when it was quiet for long, and cut nobody', async (t) => {
  const forwarder = new CrowdedForwarder();
  await using table = await ForwardTable.open(forwarder, { quietMs: 500 });
  const port = await freePort();
  await table.become([tcp('127.0.0.1', port)]);
  t.equal(forwarder.there.size, 1);
  const [first, ...others] = await crowd(t, port, 300);
  t.ok(forwarder.there.size > 4 && forwarder.there.size <= 16, `${forwarder.there.size} ways`);
  t.ok((await forwarder.list()).every(({ guestPort }) => guestPort === 80));
  t.equal(new Set(forwarder.sources).size, 300, 'no two come from one port');
  for (const socket of others) socket.destroy();
  while (forwarder.there.size > 1) await delay(20);
  first!.write('still there');
  t.equal(String((await once(first!, 'data'))[0]), 'still there');
  await crowd(t, port, 100);
  t.ok(forwarder.there.size > 1, 'and again');
  await table.become([]);
  t.equal(forwarder.there.size, 0, 'none stays when the port is given back');
});

t.test('a port that is given back while it gets more ways leaves none', async (t) => {
  const forwarder = new CrowdedForwarder();
  await using table = await ForwardTable.open(forwarder);
  const port = await freePort();
  await table.become([tcp('127.0.0.1', port)]);
  for (let i = 0; i < 60; i++)
    connect({ host: '127.0.0.1', port })
      .on('error', () => {})
      .unref();
  while (forwarder.there.size < 2) await delay(1);
  t.strictSame(await table.become([]), []);
  await delay(100);
  t.equal(forwarder.there.size, 0);
  // The next supervisor's table, which finds those of one that was killed.
  await table.become([tcp('127.0.0.1', port)]);
  await crowd(t, port, 100);
  const many = forwarder.there.size;
  t.ok(many > 1);
  await table[Symbol.asyncDispose]();
  t.equal(forwarder.there.size, many);
  await using next = await ForwardTable.open(forwarder);
  await next.become([tcp('127.0.0.1', port)]);
  t.equal(forwarder.there.size, 1);
  await next.become([]);
});

t.test('one of several ways gives its place without another', async (t) => {
  const forwarder = new CrowdedForwarder();
  await using table = await ForwardTable.open(forwarder);
  const port = await freePort();
  const first = tcp('127.0.0.1', port);
  await table.become([first]);
  await crowd(t, port, 300);
  const ways = await forwarder.list();
  const asked = { ...ways[3]!, guestPort: 81 };
  await table.become([first, asked]);
  t.notOk((await forwarder.list()).some(({ hostAddress }) => hostAddress === asked.hostAddress));
  t.equal(forwarder.there.size, ways.length, 'one fewer, and one to where was asked for');
  await table.become([]);
});

t.test('a machine that cannot have more is asked once', async (t) => {
  const forwarder = new (class extends CrowdedForwarder {
    asked = 0;
    override async add(forward: Forward): Promise<void> {
      this.asked += 1;
      if (this.there.size === 2) throw new PortUnavailable(forward, 'EMFILE');
      await super.add(forward);
    }
  })();
  await using table = await ForwardTable.open(forwarder);
  const port = await freePort();
  await table.become([tcp('127.0.0.1', port)]);
  await crowd(t, port, 100);
  t.equal(forwarder.there.size, 2);
  t.equal(forwarder.asked, 2 + 25, 'each place that there could be');
  await table.become([]);
});

t.test('a computer with one loopback address has room for them too', async (t) => {
  const forwarder = new (class extends MemoryForwarder {
    override readonly bursts = false;
    override async add(forward: Forward): Promise<void> {
      if (forward.hostAddress !== '127.0.0.1') throw new PortUnavailable(forward, 'EADDRNOTAVAIL');
      await super.add(forward);
    }
  })();
  await using table = await ForwardTable.open(forwarder);
  const [port = 0] = await freePorts(1);
  t.strictSame(await table.become([tcp('127.0.0.1', port)]), []);
  const [inner] = await forwarder.list();
  t.equal(inner?.hostAddress, '127.0.0.1');
  const asked = tcp('127.0.0.1', inner!.hostPort);
  t.strictSame(await table.become([tcp('127.0.0.1', port), asked]), []);
  t.notOk((await forwarder.list()).some(({ hostPort }) => hostPort === inner!.hostPort));
  await table.become([]);
});

t.test('a relay that cannot listen leaves nothing', async (t) => {
  const forwarder = new MemoryForwarder();
  const server = createServer().listen({ host: '::1', port: 0 });
  await once(server, 'listening');
  t.teardown(() => server.close());
  await using table = await ForwardTable.open(forwarder);
  const [failure] = await table.become([tcp('::1', (server.address() as AddressInfo).port)]);
  t.type(failure?.error, PortUnavailable);
  t.equal(failure?.error.code, 'EADDRINUSE');
  t.equal(forwarder.there.size, 0);
});
