import type { Command } from 'commander';
import { runningEndpoints } from '../../provisioning/endpoints.ts';
import { openMachine } from '../../provisioning/machine.ts';
import { contextOf } from '../context.ts';
import { ownVersion, versionLine } from '../version.ts';

const timeoutMs = 10_000;

export function configure(command: Command): void {
  command
    .argument('[name]', "a machine: show its engine's version")
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, { json }: { json?: boolean }, self: Command) => {
      if (name === undefined) {
        process.stdout.write(
          `${json ? JSON.stringify({ Version: await ownVersion() }) : await versionLine()}\n`,
        );
        return;
      }
      const { store } = contextOf(self);
      const machine = await openMachine(store, name);
      const { url } = await runningEndpoints(store, machine);
      const { engineVersion } = await import('../../provisioning/engine-api.ts');
      const engine = await engineVersion(url, machine.paths, { signal: AbortSignal.timeout(timeoutMs) });
      const about = { Name: name, Version: engine.version, ApiVersion: engine.apiVersion };
      process.stdout.write(`${json ? JSON.stringify(about) : engine.version}\n`);
    });
}
