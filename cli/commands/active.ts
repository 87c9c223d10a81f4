import { type Command, Option } from 'commander';
import { NotFound, Timeout } from '../../drivers/errors.ts';
import { contextOf } from '../context.ts';
import { seconds } from '../flags/seconds.ts';
import { listMachines } from '../list/list-machines.ts';

export function configure(command: Command): void {
  command
    .addOption(
      new Option('-t, --timeout <SECONDS>', 'how long to ask machines').default(10).argParser(seconds),
    )
    .action(async ({ timeout }: { timeout: number }, self: Command) => {
      const machines = await listMachines(contextOf(self).store, { timeoutMs: timeout * 1000 });
      const active = machines.find((machine) => machine.ActiveHost);
      if (active !== undefined) {
        process.stdout.write(`${active.Name}\n`);
        return;
      }
      if (machines.some((machine) => machine.State === 'Timeout'))
        throw new Timeout('Error getting active host: timeout');
      throw new NotFound('No active host found');
    });
}
