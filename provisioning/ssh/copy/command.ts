import { InvalidArgument } from '../../../drivers/errors.ts';

export interface CopyOptions {
  readonly recursive: boolean;
  /** Send only what differs. */
  readonly delta: boolean;
  readonly quiet: boolean;
}

export interface CopyCommand {
  readonly program: 'scp' | 'rsync';
  readonly args: readonly string[];
}

/**
 * What copies from one place to another, both as `programLocation` writes them. `scp` speaks SFTP, since machines have
 * nothing else; between two machines everything comes through this computer, so they need not know each other. Throws
 * InvalidArgument.
 */
export function copyCommand(
  {
    from,
    to,
    betweenMachines,
  }: { readonly from: string; readonly to: string; readonly betweenMachines: boolean },
  { recursive, delta, quiet }: CopyOptions,
  configFile: string,
): CopyCommand {
  const flag = (on: boolean, ...args: string[]) => (on ? args : []);
  if (!delta)
    return {
      program: 'scp',
      args: [
        ...['-F', configFile, '-s'],
        ...flag(betweenMachines, '-3'),
        ...flag(recursive, '-r'),
        ...flag(quiet, '-q'),
        ...['--', from, to],
      ],
    };
  if (betweenMachines)
    throw new InvalidArgument(
      'rsync does not copy between two machines; leave out -d, or copy by way of this computer',
    );
  return {
    program: 'rsync',
    args: [
      // What is as old as its copy, and as large, is not even read.
      ...['-e', `ssh -F "${configFile}"`, '--times', '--perms', '--links'],
      ...flag(recursive, '--recursive'),
      ...(quiet ? ['--quiet'] : ['--progress']),
      ...['--', from, to],
    ],
  };
}
