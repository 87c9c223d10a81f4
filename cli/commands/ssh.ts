import type { Command } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import { systemSshArgs } from '../../provisioning/ssh/system-ssh.ts';
import type { SshTarget } from '../../provisioning/ssh/target.ts';
import { contextOf } from '../context.ts';
import { runForeground } from '../foreground.ts';
import { machineName } from '../names.ts';
import { runningSshTarget } from '../ssh-target.ts';

export function configure(command: Command): void {
  command
    .usage('[name] [command and flags of ssh...]')
    .argument('[name]')
    .argument('[command...]')
    .passThroughOptions()
    .action(async (given: string | undefined, args: string[], _options: unknown, self: Command) => {
      const { store, nativeSsh } = contextOf(self);
      const target = await runningSshTarget(store, await machineName(store, given));
      const exitCode = nativeSsh ? null : await runForeground('ssh', [...systemSshArgs(target), ...args]);
      process.exitCode = exitCode ?? (await builtIn(target, args));
    });
}

/** For computers without an `ssh` program, and for `--native-ssh`. */
async function builtIn(target: SshTarget, args: readonly string[]): Promise<number> {
  if (args[0]?.startsWith('-'))
    throw new InvalidArgument(`"${args[0]}" is a flag of the ssh program, which is not used here`);
  const [{ connectSsh }, { sshSession }] = await Promise.all([
    import('../../provisioning/ssh/connection.ts'),
    import('../../provisioning/ssh/session.ts'),
  ]);
  await using connection = await connectSsh(target);
  return await sshSession(connection, args.length === 0 ? null : args.join(' '));
}
