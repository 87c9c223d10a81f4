import type { Command } from 'commander';
import { examine } from '../../provisioning/doctor.ts';
import { openMachine } from '../../provisioning/machine.ts';
import { contextOf } from '../context.ts';
import { machineName } from '../names.ts';
import { tableText } from '../table.ts';

export function configure(command: Command): void {
  command
    .argument('[name]')
    .option('--json', 'print a JSON array of checks')
    .action(async (name: string | undefined, { json }: { json?: boolean }, self: Command) => {
      const { store } = contextOf(self);
      const checks = await examine(store, await openMachine(store, await machineName(store, name)));
      const rows = checks.map(({ name, ok, detail }) => [ok ? 'ok' : 'PROBLEM', name, detail]);
      process.stdout.write(json ? `${JSON.stringify(checks, null, 2)}\n` : tableText(rows));
      if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}
