import type { Command } from 'commander';
import { startMachine } from '../../provisioning/start.ts';
import { contextOf } from '../context.ts';
import { interruptible } from '../interruption.ts';
import { forEachMachine, machineNames } from '../names.ts';
import { progressFor } from '../progress/progress.ts';

export function configure(command: Command): void {
  command.argument('[names...]').action(async (given: string[], _options: unknown, self: Command) => {
    const { store } = contextOf(self);
    const names = await machineNames(store, given);
    await interruptible((signal) =>
      forEachMachine(names, async (name) => {
        const progress = await progressFor(name, { several: names.length > 1 });
        process.stderr.write(`Starting "${name}"...\n`);
        const wasOff = await startMachine(store, name, { signal, progress });
        process.stderr.write(`Machine "${name}" ${wasOff ? 'was started' : 'is already running'}.\n`);
      }),
    );
  });
}
