import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** A main loop that has nothing to do looks at its network twice a second. */
const mostWakeups = 12;
const watchedMs = 250;

/**
 * Whether QEMU's main loop rests. With `thread=single` it may not, after `stop`: the thread of the processors can turn
 * the virtual clock's timers on again on its way to standing still (rr_cpu_thread_fn calls qemu_clock_enable, which
 * pause_all_vcpus had turned off), so the loop wakes for the next of them over and over, on a clock that stands.
 * Only Linux tells how often a thread has slept; elsewhere the answer is yes.
 */
export async function mainLoopRests(pid: number): Promise<boolean> {
  const before = await sleepsOf(pid);
  if (before === null) return true;
  await delay(watchedMs);
  const after = await sleepsOf(pid);
  return after === null || after - before <= mostWakeups;
}

/** Of the first thread (proc_pid_status(5)). Null where that cannot be known. */
async function sleepsOf(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/task/${pid}/status`, 'utf8').catch(() => '');
  const sleeps = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1];
  return sleeps === undefined ? null : Number(sleeps);
}
