import type { Command } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import { contextOf } from '../context.ts';
import { dockerEnvironment } from '../docker-environment.ts';
import { machineName } from '../names.ts';

export function configure(command: Command): void {
  command
    .argument('[name]')
    .option('--swarm', 'not supported')
    .action(async (given: string | undefined, options: { swarm?: boolean }, self: Command) => {
      if (options.swarm) throw new InvalidArgument('--swarm: the old Docker Swarm is not run by machine');
      const { store } = contextOf(self);
      const { environment, machine } = await dockerEnvironment(store, await machineName(store, given));
      const { ca, cert, key } = machine.paths;
      const lines = [
        '--tlsverify',
        `--tlscacert="${ca}"`,
        `--tlscert="${cert}"`,
        `--tlskey="${key}"`,
        `-H=${environment.DOCKER_HOST}`,
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}
