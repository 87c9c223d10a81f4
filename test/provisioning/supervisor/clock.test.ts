import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { AgentConnection } from '../../../drivers/driver.ts';
import type { FromAgent, ToAgent } from '../../../guest/wire/index.ts';
import { clockService, judge } from '../../../provisioning/supervisor/clock.ts';
import { Sleep } from '../../../provisioning/supervisor/sleep.ts';
import { supervisedMachine } from './supervised-machine.ts';

t.test('only what the way there and back cannot explain is a wrong clock', async (t) => {
  const reading = (guestMs: number) => ({ type: 'clock', version: 1, epochMs: 10_000, guestMs }) as const;
  const table = [
    [10_000, 10_050, 'unclear'],
    // Heard 40 ms late, or 40 ms fast.
    [10_040, 10_090, 'unclear'],
    [10_200, 10_100, 100],
    [9_900, 10_100, -100],
    [10_000 + 3_600_000, 10_100, 3_599_900],
    // The VM was paused: what was asked before was answered after.
    [10_000, 40_000, 'stale'],
  ] as const;
  for (const [guestMs, nowMs, verdict] of table)
    t.equal(judge(reading(guestMs), nowMs), verdict, `${guestMs} at ${nowMs}`);
});

t.test('a guest is asked at once, and told to set its clock when it is wrong', async (t) => {
  const { machine } = await supervisedMachine(t);
  const told: ToAgent[] = [];
  const words = new PassThrough({ objectMode: true });
  const agent: AgentConnection = {
    send: (message) => told.push(message),
    async *words(signal) {
      signal.addEventListener('abort', () => words.destroy(signal.reason), { once: true });
      yield* words as AsyncIterable<FromAgent>;
    },
    [Symbol.asyncDispose]: async () => void words.destroy(),
  };
  const driver = Object.assign(machine.driver, { connectAgent: async () => agent });
  const ended = new AbortController();
  const sleep = new Sleep();
  const said: string[] = [];
  let isReady = false;
  const running = clockService.run({
    machine: { ...machine, driver },
    signal: ended.signal,
    sleep,
    log: { info: (text) => said.push(text), error: (text) => said.push(text) },
    ready: () => {
      isReady = true;
    },
  });
  while (told.length === 0) await delay(5);
  t.ok(isReady);
  const asked = told[0] as { epochMs: number };
  t.ok(Math.abs(asked.epochMs - Date.now()) < 1000);
  words.write({ type: 'clock', version: 1, epochMs: asked.epochMs, guestMs: asked.epochMs - 5000 });
  while (told.length === 1) await delay(5);
  t.match(told[1], { type: 'clock', shiftMs: 5000 });
  t.match(said, [/off by -5000 ms/]);
  sleep.fallAsleep();
  sleep.wakeUp();
  t.match(told[2], { type: 'clock', set: true }, 'at once when a suspended machine goes on');
  ended.abort(new Error('enough'));
  await t.rejects(running, { message: 'enough' });

  const over = clockService.run({
    machine: {
      ...machine,
      driver: Object.assign(machine.driver, { connectAgent: async () => silent(agent) }),
    },
    signal: new AbortController().signal,
    sleep,
    log: { info: () => {}, error: () => {} },
    ready: () => {},
  });
  await t.rejects(over, /connection to the agent has ended/);
});

function silent(agent: AgentConnection): AgentConnection {
  return { ...agent, async *words() {} };
}
