import type { Command } from 'commander';
import { supervisorView } from '../../provisioning/inspect-view.ts';
import { type Machine, openMachine } from '../../provisioning/machine.ts';
import { type MachineStatus, machineStatus } from '../../provisioning/status.ts';
import { reviveSupervisor } from '../../provisioning/supervisor/revive.ts';
import { livingSupervisor } from '../../provisioning/supervisor/state.ts';
import { contextOf } from '../context.ts';
import { machineName } from '../names.ts';

export function configure(command: Command): void {
  command
    .argument('[name]')
    .option('--json', 'print name, state, errors and supervisor as JSON')
    .action(async (name: string | undefined, { json }: { json?: boolean }, self: Command) => {
      const { store } = contextOf(self);
      const machine = await openMachine(store, await machineName(store, name));
      const { state, errors } = await machineStatus(store, machine);
      if (state === 'Running') await reviveSupervisor(store, machine);
      const line = json ? JSON.stringify(await statusView(machine, { state, errors })) : state;
      process.stdout.write(`${line}\n`);
      if (!json) for (const error of errors) process.stderr.write(`${error}\n`);
    });
}

async function statusView({ record, paths }: Machine, { state, errors }: MachineStatus) {
  const supervisor = await livingSupervisor(paths);
  return { Name: record.Name, State: state, Errors: errors, Supervisor: supervisorView(supervisor) };
}
