import type { Command } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import type { MachineStore } from '../../provisioning/machine-store.ts';
import { contextOf } from '../context.ts';
import { dockerEnvironment } from '../docker-environment.ts';
import { runForeground } from '../foreground.ts';

export function configure(command: Command): void {
  command
    .usage('[--machine NAME] <docker command...>')
    .option('--machine <NAME>', 'the machine (default: the active one, "default", or the only one)')
    .argument('[command...]')
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (args: string[], { machine }: { machine?: string }, self: Command) => {
      const { store } = contextOf(self);
      const { environment } = await dockerEnvironment(store, machine ?? (await chosen(store)));
      const env = { ...process.env, ...environment };
      process.exitCode = (await runForeground('docker', args, { env })) ?? (await builtIn(args, env));
    });
}

/** Without a docker CLI: the small client of our own. */
async function builtIn(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [{ connectionFrom }, client] = await Promise.all([
    import('../docker-client/connection.ts'),
    import('../docker-client/main.ts'),
  ]);
  return client.main(args, await connectionFrom(env));
}

/** Throws InvalidArgument when it is not clear which machine is meant. */
async function chosen(store: MachineStore): Promise<string> {
  const active = process.env.DOCKER_MACHINE_NAME;
  const names = await store.names();
  for (const name of [active, 'default']) if (name && names.includes(name)) return name;
  if (names.length === 1) return names[0]!;
  throw new InvalidArgument(
    names.length === 0
      ? 'there is no machine yet; machine create makes one'
      : `which machine? machine docker --machine NAME …, with one of ${names.join(', ')}`,
  );
}
