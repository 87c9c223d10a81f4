import type { Command } from 'commander';
import { runningEndpoints } from '../../provisioning/endpoints.ts';
import { openMachine } from '../../provisioning/machine.ts';
import { contextOf } from '../context.ts';
import { forEachMachine, machineNames } from '../names.ts';

export function configure(command: Command): void {
  command.argument('[names...]').action(async (given: string[], _options: unknown, self: Command) => {
    const { store } = contextOf(self);
    await forEachMachine(await machineNames(store, given), async (name) => {
      const { ip } = await runningEndpoints(store, await openMachine(store, name));
      process.stdout.write(`${ip}\n`);
    });
  });
}
