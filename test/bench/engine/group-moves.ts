import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** An RCU grace period takes longer. */
const periodMs = 4;

/**
 * With control groups of version 1 the first process in a while that is moved between groups waits for an RCU grace
 * period (10 ms; percpu_down_write() of cgroup_threadgroup_rwsem in the kernel's cgroup.c), in whichever engine it is.
 * With version 2, as in our guests, crun's processes are born in their group (CLONE_INTO_CGROUP). Until disposed, a move
 * that moves nothing is always under way, so that nobody waits. Null where it is not needed.
 */
export function keepGroupMovesWarm(): Disposable | null {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return null;
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  const [, group] = /^\d+:freezer:(.*)$/m.exec(own) ?? [];
  if (group === undefined) return null;
  const stop = new AbortController();
  void move(join('/sys/fs/cgroup/freezer', group, 'cgroup.procs'), stop.signal);
  return { [Symbol.dispose]: () => stop.abort() };
}

async function move(file: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await writeFile(file, `${process.pid}`);
    await delay(periodMs);
  }
}
