import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { type Admission, ConnectGate } from '../../../../provisioning/supervisor/ports/connect-gate.ts';

/** As many as are wanted, who come at once, to one way or more. */
function crowd(size: number, ways: { name: string }[] = [{ name: 'one' }]) {
  let crowds = 0;
  const gate = new ConnectGate({ ways: () => ways, crowded: () => (crowds += 1) });
  const entered: number[] = [];
  const admissions: Admission<{ name: string }>[] = [];
  const all = Array.from({ length: size }, async (_, i) => {
    admissions[i] = await gate.enter();
    entered.push(i);
  });
  return { gate, entered, admissions, all, crowds: () => crowds };
}

t.test('two at a time, in the order of their coming', async (t) => {
  const { entered, admissions, all } = crowd(5);
  await new Promise(setImmediate);
  t.strictSame(entered, [0, 1]);
  admissions[0]!.queued();
  await new Promise(setImmediate);
  t.strictSame(entered, [0, 1], 'not before it can have been accepted');
  await all[2];
  t.strictSame(entered, [0, 1, 2]);
  admissions[1]!.queued();
  admissions[2]!.queued();
  await Promise.all(all);
  t.strictSame(entered, [0, 1, 2, 3, 4]);
});

t.test('who is known to be through lets the next one in at once, and once', async (t) => {
  const { entered, admissions, all } = crowd(5);
  await all[1];
  admissions[0]!.queued();
  admissions[0]!.over();
  await new Promise(setImmediate);
  t.strictSame(entered, [0, 1, 2]);
  admissions[0]!.over();
  admissions[0]!.queued();
  await delay(50);
  t.strictSame(entered, [0, 1, 2]);
  admissions[1]!.over();
  admissions[2]!.over();
  await Promise.all(all);
});

t.test('two by each way, also by one that is new', async (t) => {
  const ways = [{ name: 'one' }, { name: 'two' }];
  const { gate, entered, admissions } = crowd(7, ways);
  await new Promise(setImmediate);
  t.strictSame(
    admissions.map(({ way }) => way.name),
    ['one', 'one', 'two', 'two'],
  );
  ways.push({ name: 'three' });
  gate.admit();
  await new Promise(setImmediate);
  t.equal(entered.length, 6);
  t.equal(admissions[5]!.way.name, 'three');
  t.ok(gate.isUsed(ways[2]!));
  admissions[4]!.over();
  admissions[5]!.over();
  await new Promise(setImmediate);
  t.equal(entered.length, 7);
  ways.pop();
  admissions[6]!.over();
  t.notOk(gate.isUsed({ name: 'three' }));
});

t.test('more ways are asked for when many wait, not for a few', async (t) => {
  const few = crowd(8);
  await new Promise(setImmediate);
  t.equal(few.crowds(), 0);
  const many = crowd(11);
  await new Promise(setImmediate);
  t.ok(many.crowds() > 0);
});

t.test('while many have had no answer, others come by one way only', async (t) => {
  const ways = Array.from({ length: 64 }, (_, i) => ({ name: String(i) }));
  const { entered, admissions, all, crowds } = crowd(70, ways);
  await new Promise(setImmediate);
  t.equal(entered.length, 64);
  const before = crowds();
  for (const admission of admissions.slice(0, 64)) admission.queued();
  await all[65];
  t.strictSame(
    admissions.slice(64).map(({ way }) => way.name),
    ['0', '0'],
    'slowly',
  );
  t.equal(crowds(), before);
  admissions[3]!.answered();
  admissions[3]!.answered();
  admissions[4]!.answered();
  admissions[5]!.answered();
  await new Promise(setImmediate);
  t.equal(entered.length, 67, 'as many are unanswered as may be');
  t.not(admissions[66]!.way.name, '0');
  for (const admission of admissions) admission.over();
  await new Promise(setImmediate);
  t.equal(entered.length, 70);
});
