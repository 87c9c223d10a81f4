import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { SharedAgents } from '../../../drivers/qemu/shared-agents.ts';

t.test('several services share one connection to an agent, and all hear what it says', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sa-'));
  const sockets: Socket[] = [];
  const heard: string[] = [];
  const path = join(directory, 'agent.sock');
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (data) => heard.push(...data.toString().trim().split('\n')));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(async () => {
    server.close();
    await rm(directory, { recursive: true });
  });

  const agents = new SharedAgents();
  const { signal } = new AbortController();
  const one = await agents.lease({ path }, signal);
  const other = await agents.lease({ path }, signal);
  const stop = new AbortController();
  const first = one.words(stop.signal)[Symbol.asyncIterator]();
  const second = other.words(signal)[Symbol.asyncIterator]();
  const words = [first.next(), second.next()];
  one.send({ type: 'who' });
  other.send({ type: 'activity' });
  while (heard.length < 2) await delay(5);
  t.equal(sockets.length, 1);
  t.strictSame(heard, ['{"type":"who"}', '{"type":"activity"}']);
  sockets[0]!.write('{"type":"activity","version":1,"idleMs":7}\n');
  for (const { value } of await Promise.all(words)) t.match(value, { idleMs: 7 });

  stop.abort(new Error('enough'));
  await t.rejects(first.next(), { message: 'enough' });
  await one[Symbol.asyncDispose]();
  t.equal(sockets[0]!.destroyed, false, 'the other one still has it');
  const end = second.next();
  sockets[0]!.destroy();
  t.strictSame(await end, { value: undefined, done: true });
  await other[Symbol.asyncDispose]();

  await using again = await agents.lease({ path }, signal);
  t.ok(again);
  while (sockets.length < 2) await delay(5);
});
