import { type Command, Option } from 'commander';
import { contextOf } from '../context.ts';
import { repeated } from '../flags/repeated.ts';
import { seconds } from '../flags/seconds.ts';
import { parseFilters } from '../list/filters.ts';
import { defaultListFormat, formatList } from '../list/list-format.ts';
import { listMachines } from '../list/list-machines.ts';

interface Options {
  readonly quiet?: boolean;
  readonly filter: readonly string[];
  readonly timeout: number;
  readonly format?: string;
  readonly json?: boolean;
}

export function configure(command: Command): void {
  command
    .option('-q, --quiet', 'print names only')
    .addOption(
      new Option(
        '--filter <KEY=VALUE>',
        'show what matches: swarm=, driver=, state=, name=REGEX, label=KEY=VALUE',
      )
        .default([], 'all')
        .argParser(repeated),
    )
    .addOption(
      new Option('-t, --timeout <SECONDS>', 'how long to ask machines').default(10).argParser(seconds),
    )
    .option('-f, --format <TEMPLATE>', 'print with a Go template, or a table of them')
    .option('--json', 'print a JSON array')
    .action(async ({ quiet, filter, timeout, format, json }: Options, self: Command) => {
      const matches = parseFilters(filter);
      const { store } = contextOf(self);
      if (quiet && filter.length === 0) {
        process.stdout.write((await store.names()).map((name) => `${name}\n`).join(''));
        return;
      }
      const machines = (await listMachines(store, { timeoutMs: timeout * 1000 })).filter(matches);
      if (quiet) process.stdout.write(machines.map(({ Name }) => `${Name}\n`).join(''));
      else if (json) process.stdout.write(`${JSON.stringify(machines, null, 2)}\n`);
      else process.stdout.write(formatList(machines, format ?? defaultListFormat));
    });
}
