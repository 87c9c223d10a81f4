import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Cancelled, Timeout, WentOff } from '../../../drivers/errors.ts';
import { awaitHello } from '../../../drivers/qemu/hello.ts';
import { FakeQmp } from './fake-qmp.ts';

/** A VM's channels: an agent port that does what `onHost` does with a host that connects, and QMP. */
async function channels(t: Test, onHost: (socket: Socket) => void) {
  const directory = await mkdtemp(join(tmpdir(), 'hello-'));
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onHost(socket);
  });
  const agent = { path: join(directory, 'agent.sock') };
  await new Promise<void>((resolve) => server.listen(agent.path, resolve));
  const qmp = await FakeQmp.open();
  t.teardown(async () => {
    server.close();
    await qmp[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });
  return { agent, qmp };
}

const hello = {
  type: 'hello',
  version: 1,
  agentVersion: '1',
  apiVersion: '1.50',
  state: 'ready',
  uptimeMs: 1,
};

t.test('hello is asked for, and once it came a reset is a reboot and the port is let go', async (t) => {
  let left: Promise<unknown> | undefined;
  let asked = '';
  const { agent, qmp } = await channels(t, (socket) => {
    left = once(socket, 'close');
    socket.on('data', (data) => {
      asked += data.toString();
      socket.write(`","state":"ready"}\n${JSON.stringify(hello)}\n`);
    });
  });
  t.same(await awaitHello({ agent, qmp, signal: AbortSignal.timeout(5000) }), hello);
  t.equal(asked, '{"type":"who"}\n');
  t.match(qmp.commands.at(-1), { execute: 'set-action', arguments: { reboot: 'reset' } });
  await left;
});

t.test('a failure is the word of a guest that ends: no reset is allowed', async (t) => {
  const failure = { type: 'failure', version: 1, message: 'no disk' };
  const { agent, qmp } = await channels(t, (socket) => socket.write(`${JSON.stringify(failure)}\n`));
  t.same(await awaitHello({ agent, qmp, signal: AbortSignal.timeout(5000) }), failure);
  t.same(qmp.commands, []);
});

t.test('a machine that goes off, or is off already, is not waited for', async (t) => {
  const { agent, qmp } = await channels(t, (socket) => socket.destroy());
  const { signal } = new AbortController();
  await t.rejects(awaitHello({ agent, qmp, signal }), WentOff);
  await t.rejects(awaitHello({ agent: { path: `${agent.path}.gone` }, qmp, signal }), WentOff);
});

t.test('waiting ends with a deadline or an interruption', async (t) => {
  const { agent, qmp } = await channels(t, () => {});
  await t.rejects(awaitHello({ agent, qmp, signal: AbortSignal.timeout(20) }), Timeout);
  const controller = new AbortController();
  const waiting = awaitHello({ agent, qmp, signal: controller.signal });
  controller.abort();
  await t.rejects(waiting, Cancelled);
});
