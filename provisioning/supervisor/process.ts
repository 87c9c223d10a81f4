import { openMachine } from '../machine.ts';
import type { MachineStore } from '../machine-store.ts';
import { LogFile } from './log.ts';
import { supervise } from './supervise.ts';

/** Makes this process the supervisor of a machine; it ends when that does. Its streams lead nowhere; it has a log. */
export async function beSupervisor(store: MachineStore, name: string): Promise<never> {
  const log = new LogFile(store.machine(name)).of('supervisor');
  const fail = (error: unknown) => {
    log.error('failed', error);
    process.exit(1);
  };
  // The next command that talks to the machine starts another one.
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  // The terminal that it was started from is none of its business.
  process.on('SIGHUP', () => {});
  const told = new AbortController();
  process.on('SIGTERM', () => told.abort(new Error('SIGTERM')));
  await supervise(store, await openMachine(store, name), { signal: told.signal }).catch(fail);
  // Whatever a service left open, this is over.
  process.exit(0);
}
