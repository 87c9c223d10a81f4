import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import type { SshConnection } from '../../provisioning/ssh/connection.ts';
import { type CopyOptions, copyCommand } from '../../provisioning/ssh/copy/command.ts';
import { scpSpeaksSftp } from '../../provisioning/ssh/copy/scp-version.ts';
import { type Location, parseLocation, programLocation } from '../../provisioning/ssh/location.ts';
import { sshConfig } from '../../provisioning/ssh/system-ssh.ts';
import type { SshTarget } from '../../provisioning/ssh/target.ts';
import { contextOf } from '../context.ts';
import { runForeground } from '../foreground.ts';
import { runHostProgram } from '../host-program.ts';
import { runningSshTarget } from '../ssh-target.ts';

interface Copy {
  readonly from: Location;
  readonly to: Location;
  /** By the machines' names. */
  readonly targets: ReadonlyMap<string, SshTarget>;
  readonly options: CopyOptions;
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
    .action(async (given: string, givenTo: string, flags: Partial<CopyOptions>, self: Command) => {
      const { store, nativeSsh } = contextOf(self);
      const options = { recursive: false, delta: false, quiet: false, ...flags };
      if (nativeSsh && options.delta)
        throw new InvalidArgument('-d needs the ssh and rsync programs; leave out --native-ssh');
      const [from, to] = [parseLocation(given), parseLocation(givenTo)];
      const names = [...new Set([from.machine, to.machine].filter((name) => name !== null))];
      const targets = await Promise.all(
        names.map(async (name) => [name, await runningSshTarget(store, name)] as const),
      );
      const copy = { from, to, targets: new Map(targets), options };
      if (!nativeSsh && (options.delta || (await scpSpeaksSftp()))) {
        const exitCode = await byProgram(copy);
        if (exitCode !== null) {
          process.exitCode = exitCode;
          return;
        }
      }
      await builtIn(copy);
    });
}

/** Null when there is no `scp`. */
async function byProgram({ from, to, targets, options }: Copy): Promise<number | null> {
  const aliasOf = ({ machine }: Location) => (machine === null ? null : targets.get(machine)!.alias);
  const places = {
    from: programLocation(from, aliasOf(from)),
    to: programLocation(to, aliasOf(to)),
    betweenMachines: from.machine !== null && to.machine !== null,
  };
  const directory = await mkdtemp(join(tmpdir(), 'machine-scp-'));
  try {
    const config = join(directory, 'ssh_config');
    await writeFile(config, sshConfig([...targets.values()]));
    const { program, args } = copyCommand(places, options, config);
    if (program === 'scp') return await runForeground(program, args);
    const exitCode = await runHostProgram(program, args, 'machine scp -d');
    if (exitCode === notFound)
      process.stderr.write(
        `If it is the machine that has no rsync: machine restart ${[...targets.keys()][0]} boots an OS image that has.\n`,
      );
    return exitCode;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** For computers whose OpenSSH is old or not there, and for `--native-ssh`. Knows no wildcards. */
async function builtIn({ from, to, targets, options }: Copy): Promise<void> {
  const [{ connectSsh }, { copyFiles }, { localFiles }, { remoteFiles }] = await Promise.all([
    import('../../provisioning/ssh/connection.ts'),
    import('../../provisioning/ssh/copy/copy-files.ts'),
    import('../../provisioning/ssh/copy/local-files.ts'),
    import('../../provisioning/ssh/copy/remote-files.ts'),
  ]);
  const connect = async ({ machine, user }: Location) => {
    if (machine === null) return null;
    const target = targets.get(machine)!;
    return await connectSsh({ ...target, user: user ?? target.user });
  };
  const endAt = async ({ machine, path }: Location, connection: SshConnection | null) =>
    connection === null
      ? { files: localFiles, path }
      : { files: await remoteFiles(connection, machine!), path: path || '.' };
  await using source = await connect(from);
  await using target = await connect(to);
  await copyFiles(await endAt(from, source), await endAt(to, target), options);
}
