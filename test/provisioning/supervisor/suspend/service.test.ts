import { EventEmitter, on, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { AgentConnection } from '../../../../drivers/driver.ts';
import type { Suspender } from '../../../../drivers/suspender.ts';
import type { FromAgent, ToAgent } from '../../../../guest/wire/index.ts';
import { Sleep } from '../../../../provisioning/supervisor/sleep.ts';
import { suspendService } from '../../../../provisioning/supervisor/suspend/service.ts';
import { supervisedMachine } from '../supervised-machine.ts';

/** A machine whose engine greets who connects, and which is idle for as long as `idleMs` says. */
async function idleMachine(t: Test, { suspendAfterMs = 1000 as number | null } = {}) {
  const { machine } = await supervisedMachine(t);
  const greet = (socket: Socket) => socket.on('error', () => {}).end('engine\n');
  let engine: Server = createServer(greet).listen(0, '127.0.0.1');
  await once(engine, 'listening');
  const { port } = engine.address() as AddressInfo;
  const steps: string[] = [];
  const guest = { idleMs: 0 };
  const suspender: Suspender = {
    ports: [port],
    async letGo() {
      steps.push('let go');
      engine.close();
    },
    async pause() {
      steps.push('pause');
    },
    async resume() {
      steps.push('resume');
    },
    async takeBack() {
      steps.push('take back');
      if (engine.listening) return;
      engine = createServer(greet).listen(port, '127.0.0.1');
      await once(engine, 'listening');
    },
    async [Symbol.asyncDispose]() {},
  };
  const words = new EventEmitter();
  const asked: ToAgent[] = [];
  const agent: AgentConnection = {
    send(message) {
      asked.push(message);
      setImmediate(() => words.emit('word', { type: 'activity', version: 1, idleMs: guest.idleMs }));
    },
    async *words(signal) {
      for await (const [word] of on(words, 'word', { signal })) yield word as FromAgent;
    },
    async [Symbol.asyncDispose]() {},
  };
  const driver = Object.assign(machine.driver, {
    suspender: async () => suspender,
    connectAgent: async () => agent,
  });
  const ended = new AbortController();
  const sleep = new Sleep();
  const running = suspendService.run({
    machine: { ...machine, driver, record: { ...machine.record, SuspendAfterMs: suspendAfterMs } },
    signal: ended.signal,
    sleep,
    log: { info: () => {}, error: () => {} },
    ready: () => steps.push('ready'),
  });
  running.catch(() => {});
  t.teardown(async () => {
    ended.abort(new Error('the test is over'));
    await running.catch(() => {});
    engine.close();
  });
  const call = async () => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    for await (const chunk of socket) text += chunk;
    return text;
  };
  return { guest, steps, asked, sleep, call, ended, running };
}

t.test('an idle machine is suspended until somebody connects, who notices nothing', async (t) => {
  const { guest, steps, asked, sleep, call } = await idleMachine(t);
  await delay(100);
  t.strictSame(steps, ['resume', 'take back', 'ready'], 'what another supervisor left is put right');
  guest.idleMs = 5000;
  while (!sleep.asleep) await delay(20);
  t.match(asked.at(-2), { type: 'activity', rest: true }, 'memory is given up before');
  await delay(20);
  t.strictSame(steps.splice(3), ['let go', 'pause']);
  guest.idleMs = 0;
  t.strictSame(await Promise.all([call(), call()]), ['engine\n', 'engine\n']);
  t.notOk(sleep.asleep);
  t.strictSame(steps.splice(3), ['resume', 'take back']);
  t.equal(await call(), 'engine\n', 'later ones go there by themselves');
});

t.test('who connects in the last moment keeps it running', async (t) => {
  const { guest, steps, call } = await idleMachine(t);
  guest.idleMs = 5000;
  while (!steps.includes('let go')) await delay(5);
  guest.idleMs = 0;
  t.equal(await call(), 'engine\n');
  t.notOk(steps.includes('pause'));
  t.equal(steps.at(-1), 'take back');
});

t.test('the end of the supervisor lets a suspended machine go on', async (t) => {
  const { guest, steps, sleep, ended, running } = await idleMachine(t);
  guest.idleMs = 5000;
  while (!sleep.asleep) await delay(20);
  ended.abort(new Error('told to end'));
  await running.catch(() => {});
  t.equal(steps.at(-1), 'take back');
});

t.test('a machine that is never to be suspended is not asked', async (t) => {
  const { guest, steps, asked } = await idleMachine(t, { suspendAfterMs: null });
  guest.idleMs = 5000;
  await delay(1500);
  t.strictSame(steps, ['resume', 'take back', 'ready']);
  t.strictSame(asked, []);
});
