import type { Command } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import { removeMachine } from '../../provisioning/remove.ts';
import { contextOf } from '../context.ts';
import { interruptible } from '../interruption.ts';
import { forEachMachine } from '../names.ts';
import { confirm } from '../prompts.ts';

interface Options {
  readonly force?: boolean;
  readonly y?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('[names...]')
    .option('-f, --force', 'forget the machine even if it cannot be removed; also means -y')
    .option('-y', 'do not ask')
    .action(async (given: string[], { force = false, y = false }: Options, self: Command) => {
      const { store } = contextOf(self);
      const names = [...new Set(given)];
      if (names.length === 0)
        throw new InvalidArgument('No machine name(s) specified; machine ls lists them');
      if (!force) for (const name of names) if (!(await store.has(name))) await store.load(name);
      process.stderr.write(`About to remove ${names.join(', ')}\n`);
      if (!force && !y) {
        process.stderr.write('WARNING: This action will delete the machine and everything in it.\n');
        if (!(await confirm('Are you sure?'))) return;
      }
      await interruptible((signal) =>
        forEachMachine(names, async (name) => {
          const onWarning = (text: string) => process.stderr.write(`${text}\n`);
          await removeMachine(store, name, { signal, force, onWarning });
          process.stderr.write(`Successfully removed ${name}\n`);
        }),
      );
    });
}
