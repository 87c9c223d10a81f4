import t from 'tap';
import { type Admission, ConnectGate } from '../../../../provisioning/supervisor/ports/connect-gate.ts';

/** As many as are wanted, who come at once. */
function crowd(size: number) {
  const gate = new ConnectGate();
  const entered: number[] = [];
  const admissions: Admission[] = [];
  const all = Array.from({ length: size }, async (_, i) => {
    admissions[i] = await gate.enter();
    entered.push(i);
  });
  return { gate, entered, admissions, all };
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
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.strictSame(entered, [0, 1, 2]);
  admissions[1]!.over();
  admissions[2]!.over();
  await Promise.all(all);
});
