import type { Command } from 'commander';
import { stopMachine } from '../../provisioning/stop.ts';
import { contextOf } from '../context.ts';
import { interruptible } from '../interruption.ts';
import { forEachMachine, machineNames } from '../names.ts';

export function configure(command: Command): void {
  command.argument('[names...]').action(async (given: string[], _options: unknown, self: Command) => {
    const { store } = contextOf(self);
    const names = await machineNames(store, given);
    await interruptible((signal) =>
      forEachMachine(names, async (name) => {
        process.stderr.write(`Stopping "${name}"...\n`);
        const wasOn = await stopMachine(store, name, { signal });
        process.stderr.write(`Machine "${name}" ${wasOn ? 'was' : 'is already'} stopped.\n`);
      }),
    );
  });
}
