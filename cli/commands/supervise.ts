import type { Command } from 'commander';
import { openMachine } from '../../provisioning/machine.ts';
import { contextOf } from '../context.ts';

/** What `create`, `start` and others start in the background. Its streams lead nowhere; it has a log. */
export function configure(command: Command): void {
  command.argument('<name>').action(async (name: string, _options: unknown, self: Command) => {
    const { store } = contextOf(self);
    const [{ supervise }, { LogFile }] = await Promise.all([
      import('../../provisioning/supervisor/supervise.ts'),
      import('../../provisioning/supervisor/log.ts'),
    ]);
    const log = new LogFile(store.machine(name)).of('supervisor');
    const end = (error: unknown) => {
      log.error('failed', error);
      process.exit(1);
    };
    // The next command that talks to the machine starts another one.
    process.on('uncaughtException', end);
    process.on('unhandledRejection', end);
    // The terminal that it was started from is none of its business.
    process.on('SIGHUP', () => {});
    const told = new AbortController();
    process.on('SIGTERM', () => told.abort(new Error('SIGTERM')));
    await supervise(store, await openMachine(store, name), { signal: told.signal }).catch(end);
    // Whatever a service left open, this is over.
    process.exit(0);
  });
}
