import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import { copyCommand } from '../../provisioning/ssh/copy-command.ts';
import { parseLocation, programLocation } from '../../provisioning/ssh/location.ts';
import { sshConfig } from '../../provisioning/ssh/system-ssh.ts';
import { contextOf } from '../context.ts';
import { runHostProgram } from '../host-program.ts';
import { runningSshTarget } from '../ssh-target.ts';

interface Options {
  readonly recursive?: boolean;
  readonly delta?: boolean;
  readonly quiet?: boolean;
}

/** Of shells, when there is no such program. */
const notFound = 127;

export function configure(command: Command): void {
  command
    .usage('[flags] [[user@]machine:][path] [[user@]machine:][path]')
    .argument('<from>')
    .argument('<to>')
    .option('-r, --recursive', 'copy directories with what is in them')
    .option('-d, --delta', 'send only what differs (rsync)')
    .option('-q, --quiet', 'show no progress and no warnings')
    .action(async (given: string, givenTo: string, options: Options, self: Command) => {
      const { store, nativeSsh } = contextOf(self);
      if (nativeSsh)
        throw new InvalidArgument('machine scp has no client of its own; leave out --native-ssh');
      const [from, to] = [parseLocation(given), parseLocation(givenTo)];
      const names = [...new Set([from.machine, to.machine].filter((name) => name !== null))];
      const targets = new Map(
        await Promise.all(names.map(async (name) => [name, await runningSshTarget(store, name)] as const)),
      );
      const aliasOf = (name: string | null) => (name === null ? null : targets.get(name)!.alias);
      const directory = await mkdtemp(join(tmpdir(), 'machine-scp-'));
      try {
        const config = join(directory, 'ssh_config');
        await writeFile(config, sshConfig([...targets.values()]));
        const { program, args } = copyCommand(
          {
            from: programLocation(from, aliasOf(from.machine)),
            to: programLocation(to, aliasOf(to.machine)),
            betweenMachines: from.machine !== null && to.machine !== null,
          },
          { recursive: false, delta: false, quiet: false, ...options },
          config,
        );
        process.exitCode = await runHostProgram(program, args, `machine scp${options.delta ? ' -d' : ''}`);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
      if (process.exitCode === notFound && options.delta)
        process.stderr.write(
          `If it is the machine that has no rsync: machine restart ${names[0]} boots an OS image that has.\n`,
        );
    });
}
