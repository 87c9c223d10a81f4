import { run } from '../host/exec.ts';

/** `date` sets whole seconds, so a smaller difference would not get better by it. */
const toleranceMs = 1000;

/** Sets the guest's clock to the host's, when it is off by more than a second (after a pause, mostly). */
export async function setClock(epochMs: number): Promise<boolean> {
  if (Math.abs(Date.now() - epochMs) <= toleranceMs) return false;
  await run('date', ['-u', '-s', `@${Math.round(epochMs / 1000)}`]);
  return true;
}
