import t from 'tap';
import { ForwardingHost } from '../../../../guest/network/ports/forwarding-host.ts';
import type { PublishedPorts } from '../../../../guest/wire/index.ts';

const soon = { deadlineMs: 10_000 };
const failure = {
  protocol: 'tcp',
  hostAddress: '127.0.0.1',
  hostPort: 80,
  taken: true,
  message: 'no',
} as const;

function follow(host: ForwardingHost) {
  const told: PublishedPorts[] = [];
  const ended: string[] = [];
  const following = host.follow({ tell: (state) => told.push(state), end: () => ended.push('ended') });
  const last = () => told.at(-1)!.serial;
  return { told, ended, ...following, last };
}

/** Whether a promise has settled by now. */
const isSettled = (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setImmediate(() => resolve(false)))]);

t.test('nobody is waited for when nobody follows', async (t) => {
  const host = new ForwardingHost(() => []);
  host.changed();
  t.strictSame(await host.answer({ deadlineMs: 1 }), []);
});

t.test('the first one is waited for, for a while', async (t) => {
  const host = new ForwardingHost(() => [], { expectedWithinMs: 30_000 });
  host.changed();
  const waiting = host.answer(soon);
  t.equal(await isSettled(waiting), false);
  t.strictSame(await host.answer({ deadlineMs: 20 }), [], 'but nobody is kept longer than he wants');
  const first = follow(host);
  t.equal(await isSettled(waiting), false, 'it has not answered yet');
  first.answer({ serial: first.last(), failed: [failure] });
  t.strictSame(await waiting, [failure]);
  first.leave();
  host.changed();
  t.strictSame(await host.answer(soon), [], 'and its next one is not');
  const nobody = new ForwardingHost(() => [], { expectedWithinMs: 20 });
  t.strictSame(await nobody.answer(soon), []);
});

t.test('a change is answered for by the answer to its own state or a later one', async (t) => {
  const host = new ForwardingHost(() => []);
  const { told, answer, last } = follow(host);
  t.equal(told.length, 1, 'the first state comes at once');
  const first = last();
  host.changed();
  t.equal(told.length, 1, 'one at a time');
  const waiting = host.answer(soon);
  answer({ serial: first, failed: [failure] });
  t.equal(await isSettled(waiting), false, 'that was of the state before');
  t.equal(told.length, 2);
  answer({ serial: 999, failed: [] });
  t.equal(await isSettled(waiting), false, 'nobody was told that one');
  answer({ serial: last(), failed: [failure] });
  t.strictSame(await waiting, [failure]);
});

t.test('who is slow gets the newest state only', async (t) => {
  let count = 0;
  const host = new ForwardingHost(() => []);
  const { told, answer, last } = follow(host);
  for (; count < 10; count++) host.changed();
  answer({ serial: last(), failed: [] });
  t.equal(told.length, 2);
  const all = host.answer(soon);
  answer({ serial: last(), failed: [] });
  t.strictSame(await all, []);
  t.equal(told.length, 2, 'and none twice');
  answer({ serial: last(), failed: [] });
  t.strictSame(await host.answer(soon), [], 'what was answered is known');
});

t.test('who goes away keeps nobody waiting, and who comes in its place answers for it', async (t) => {
  const host = new ForwardingHost(() => []);
  const first = follow(host);
  const waiting = host.answer(soon);
  const second = follow(host);
  t.strictSame(first.ended, ['ended']);
  first.answer({ serial: first.last(), failed: [failure] });
  first.leave();
  t.equal(await isSettled(waiting), false, 'the first has no say any more');
  second.answer({ serial: second.last(), failed: [] });
  t.strictSame(await waiting, []);
  host.changed();
  const another = host.answer(soon);
  second.leave();
  t.strictSame(await another, []);
});

t.test('one that does not answer is no reason to wait for ever', async (t) => {
  const host = new ForwardingHost(() => []);
  follow(host);
  host.changed();
  await t.rejects(host.answer({ deadlineMs: 20 }), { name: 'Unavailable', message: /has not answered/ });
});
