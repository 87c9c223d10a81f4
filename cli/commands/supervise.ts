import type { Command } from 'commander';
import { contextOf } from '../context.ts';

/** What `create`, `start` and others start in the background. */
export function configure(command: Command): void {
  command.argument('<name>').action(async (name: string, _options: unknown, self: Command) => {
    const { beSupervisor } = await import('../../provisioning/supervisor/process.ts');
    await beSupervisor(contextOf(self).store, name);
  });
}
