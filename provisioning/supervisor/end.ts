import { rm } from 'node:fs/promises';
import { identify, whenGone } from '../../drivers/process-identity.ts';
import { lockHolder } from '../lock.ts';
import type { MachineStore } from '../machine-store.ts';
import { apiSocketOf } from './socket/path.ts';
import { livingSupervisor, supervisorResource } from './state.ts';

/** Longer than a supervisor gives its services. */
const endDeadlineMs = 8000;

/** Ends a machine's supervisor and waits until it is gone. Idempotent. */
export async function endSupervisor(store: MachineStore, name: string): Promise<void> {
  const found = [
    await livingSupervisor(store.machine(name)),
    // One that was just started has its lock before its file.
    await lockHolder(store.paths.locks, supervisorResource(name)),
  ];
  for (const pid of new Set(found.flatMap((one) => one?.pid ?? []))) {
    const supervisor = await identify(pid);
    if (supervisor === null) continue;
    send(supervisor.pid, 'SIGTERM');
    if (await whenGone(supervisor, AbortSignal.timeout(endDeadlineMs))) continue;
    send(supervisor.pid, 'SIGKILL');
    await whenGone(supervisor, AbortSignal.timeout(endDeadlineMs));
  }
}

/** The same for a machine that is off, and takes away what a supervisor that was killed has left. */
export async function endLastSupervisor(store: MachineStore, name: string): Promise<void> {
  await endSupervisor(store, name);
  const paths = store.machine(name);
  const { path } = apiSocketOf(paths);
  for (const left of process.platform === 'win32' ? [paths.supervisor] : [paths.supervisor, path])
    await rm(left, { force: true });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
