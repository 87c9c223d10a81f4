import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FailedPrecondition, InvalidArgument } from '../../drivers/errors.ts';
import { writeFileAtomic } from '../../drivers/write-file-atomic.ts';
import { type Location, parseLocation, programLocation } from '../../provisioning/ssh/location.ts';
import { sshfsCommand, unmountCommands } from '../../provisioning/ssh/sshfs.ts';
import { sshConfig } from '../../provisioning/ssh/system-ssh.ts';
import { contextOf } from '../context.ts';
import { runForeground } from '../foreground.ts';
import { runHostProgram } from '../host-program.ts';
import { machineName } from '../names.ts';
import { runningSshTarget } from '../ssh-target.ts';

export function configure(command: Command): void {
  command
    .usage('[-u] [[user@]machine:]path [mountpoint]')
    .argument('<path>', "a machine's directory")
    .argument('[mountpoint]', 'a directory of this computer (default: the same path)')
    .option('-u, --unmount', 'unmount what is mounted there')
    .action(async (given: string, at: string | undefined, options: { unmount?: true }, self: Command) => {
      const location = parseLocation(given);
      const mountpoint = resolve(at ?? location.path);
      if (at === undefined && location.path === '')
        throw new InvalidArgument(`"${given}" has no path to mount at; machine mount ${given} DIRECTORY`);
      process.exitCode = options.unmount
        ? await unmount(mountpoint)
        : await mount(self, location, mountpoint);
    });
}

async function mount(command: Command, location: Location, mountpoint: string): Promise<number> {
  const { store, nativeSsh } = contextOf(command);
  if (nativeSsh) throw new InvalidArgument('machine mount has no client of its own; leave out --native-ssh');
  const is = await stat(mountpoint).catch(() => null);
  if (!is?.isDirectory())
    throw new InvalidArgument(`there is no directory "${mountpoint}" to mount at; mkdir -p "${mountpoint}"`);
  const name = await machineName(store, location.machine ?? undefined);
  const target = await runningSshTarget(store, name);
  // For as long as it is mounted: who connects again reads it again.
  const { sshConfig: config } = store.machine(name);
  await writeFileAtomic(config, sshConfig([target]));
  const { args } = sshfsCommand(programLocation(location, target.alias), mountpoint, config);
  return await runHostProgram('sshfs', args, 'machine mount');
}

/** Asks no machine: it may be off, or removed. */
async function unmount(mountpoint: string): Promise<number> {
  const commands = unmountCommands(mountpoint);
  for (const { program, args } of commands) {
    const exitCode = await runForeground(program, args);
    if (exitCode !== null) return exitCode;
  }
  throw new FailedPrecondition(
    `this computer has none of ${commands.map(({ program }) => program).join(', ')} to unmount with`,
  );
}
