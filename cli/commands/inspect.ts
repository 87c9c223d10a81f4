import type { Command } from 'commander';
import { inspectView } from '../../provisioning/inspect-view.ts';
import { openMachine } from '../../provisioning/machine.ts';
import { machineStatus } from '../../provisioning/status.ts';
import { reviveSupervisor } from '../../provisioning/supervisor/revive.ts';
import { livingSupervisor } from '../../provisioning/supervisor/state.ts';
import { contextOf } from '../context.ts';
import { parseTemplate } from '../go-template.ts';
import { machineName } from '../names.ts';

export function configure(command: Command): void {
  command
    .argument('[name]')
    .option('-f, --format <TEMPLATE>', 'print with a Go template')
    .option('--json', 'print JSON (the default)')
    .action(async (given: string | undefined, { format }: { format?: string }, self: Command) => {
      const template = format === undefined ? null : parseTemplate(format);
      const { store } = contextOf(self);
      const machine = await openMachine(store, await machineName(store, given));
      const { record, paths, driver, handle } = machine;
      const status = await machineStatus(store, machine);
      if (status.state === 'Running') await reviveSupervisor(store, machine);
      const endpoints = status.state === 'Running' ? await driver.endpoints(handle) : null;
      const supervisor = await livingSupervisor(paths);
      const view = inspectView(record, { store: store.paths, paths, status, endpoints, supervisor });
      process.stdout.write(`${template === null ? JSON.stringify(view, null, 4) : template.render(view)}\n`);
    });
}
