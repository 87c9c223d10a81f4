import type { Command } from 'commander';
import { killMachine } from '../../provisioning/kill.ts';
import { contextOf } from '../context.ts';
import { interruptible } from '../interruption.ts';
import { forEachMachine, machineNames } from '../names.ts';

export function configure(command: Command): void {
  command.argument('[names...]').action(async (given: string[], _options: unknown, self: Command) => {
    const { store } = contextOf(self);
    const names = await machineNames(store, given);
    await interruptible((signal) =>
      forEachMachine(names, async (name) => {
        process.stderr.write(`Killing "${name}"...\n`);
        await killMachine(store, name, { signal });
        process.stderr.write(`Machine "${name}" was killed.\n`);
      }),
    );
  });
}
