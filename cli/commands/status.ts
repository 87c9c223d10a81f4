import type { Command } from 'commander';
import { openMachine } from '../../provisioning/machine.ts';
import { machineStatus } from '../../provisioning/status.ts';
import { reviveSupervisor } from '../../provisioning/supervisor/revive.ts';
import { contextOf } from '../context.ts';
import { machineName } from '../names.ts';

export function configure(command: Command): void {
  command
    .argument('[name]')
    .option('--json', 'print name, state and errors as JSON')
    .action(async (name: string | undefined, { json }: { json?: boolean }, self: Command) => {
      const { store } = contextOf(self);
      const machine = await openMachine(store, await machineName(store, name));
      const { state, errors } = await machineStatus(store, machine);
      if (state === 'Running') await reviveSupervisor(store, machine);
      const line = json ? JSON.stringify({ Name: machine.record.Name, State: state, Errors: errors }) : state;
      process.stdout.write(`${line}\n`);
      if (!json) for (const error of errors) process.stderr.write(`${error}\n`);
    });
}
