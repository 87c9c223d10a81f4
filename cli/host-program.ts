import { FailedPrecondition } from '../drivers/errors.ts';
import { runForeground } from './foreground.ts';

/** Programs that we do not bring, with the package that has each on most systems. */
const packages = { rsync: 'rsync', sshfs: 'sshfs' } as const;

/**
 * As runForeground. Throws FailedPrecondition, with what to install, where there is no such program. `purpose` begins a
 * sentence: "machine mount".
 */
export async function runHostProgram(
  program: keyof typeof packages,
  args: readonly string[],
  purpose: string,
): Promise<number> {
  const exitCode = await runForeground(program, args);
  if (exitCode === null)
    throw new FailedPrecondition(
      `${purpose} needs the program ${program}, which this computer has not; ${howToInstall(program)}`,
    );
  return exitCode;
}

/** For people: what comes after "this computer has it not". */
export function howToInstall(
  program: keyof typeof packages,
  platform: NodeJS.Platform = process.platform,
): string {
  if (program === 'sshfs' && platform === 'darwin')
    return 'install macFUSE and sshfs, both from macfuse.github.io';
  if (program === 'sshfs' && platform === 'win32')
    return 'on Windows use machine scp, or a directory of Windows that the machine shares (--mount)';
  if (platform === 'linux') return `install it, as with apt-get install ${packages[program]}`;
  return 'install it';
}
