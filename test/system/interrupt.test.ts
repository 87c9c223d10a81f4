import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { processesWith } from '../helpers/processes.ts';
import { MachineHarness } from './machine-harness.ts';

/** Ctrl-C at any moment of a create leaves nothing behind, and the next create works. */
const missing = MachineHarness.missing();
t.test('an interrupted create', { ...(missing && { skip: missing }), timeout: 1_800_000 }, async (t) => {
  const harness = await MachineHarness.openFor(t);
  const whole = await harness.machine(['create', 'whole']);
  t.equal(whole.exitCode, 0, whole.stderr);
  t.equal((await harness.machine(['rm', '-y', '-f', 'whole'])).exitCode, 0);

  // A machine of another size has no checkpoint yet, so that it is cut while that is made.
  for (const [afterMs, ...flags] of [
    ...([[150], [600], [1200], [2500]] as const),
    ...([3000, 6000] as const).map((ms) => [ms, '--qemu-accel', 'tcg', '--qemu-memory', '768'] as const),
  ]) {
    await t.test(`after ${afterMs} ms ${flags.join(' ')}`, async (t) => {
      const child = spawn(process.execPath, ['cli/bin/machine.mjs', 'create', ...flags, 'cut'], {
        env: { ...process.env, ...harness.env },
        stdio: 'ignore',
      });
      const timer = setTimeout(() => child.kill('SIGINT'), afterMs);
      const [code] = await once(child, 'exit');
      clearTimeout(timer);
      t.not(code, 0, 'the interrupted command fails');
      t.same(processesWith('qemu-system', harness.store), [], 'no process');
      t.same(processesWith('qemu-system', 'machine-checkpoint'), [], 'nor one for a checkpoint');
      const machines = join(harness.store, 'machines');
      t.same(existsSync(machines) ? readdirSync(machines) : [], [], 'no files, no locks');
    });
  }
  const next = await harness.machine(['create', 'cut']);
  t.equal(next.exitCode, 0, next.stderr);
});
