import t from 'tap';
import { ConnectGate } from '../../../../provisioning/supervisor/ports/connect-gate.ts';

t.test('two at a time, in the order of their coming', async (t) => {
  const gate = new ConnectGate();
  const entered: number[] = [];
  const leaves: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map(async (i) => {
    leaves.push(await gate.enter());
    entered.push(i);
  });
  await new Promise(setImmediate);
  t.strictSame(entered, [0, 1]);
  leaves[0]!();
  await all[2];
  t.strictSame(entered, [0, 1, 2]);
  leaves[1]!();
  leaves[2]!();
  await Promise.all(all);
  t.strictSame(entered, [0, 1, 2, 3, 4]);
});
