import { run } from '../host/exec.ts';
import { programPath } from '../host/program-path.ts';

/**
 * Copies what is in directory `from` into `to` with everything that a file has: owners, modes, times, hard
 * links, devices, extended attributes such as file capabilities; also the directory's own owner and mode.
 * GNU tar, because busybox's own cp and tar drop attributes. Runs once in a volume's life.
 */
export async function copyUp(from: string, to: string): Promise<void> {
  const attributes = `--numeric-owner --xattrs --xattrs-include='*'`;
  const pack = `"$0" ${attributes} --sparse -C "$1" -cf - .`;
  const unpack = `"$0" ${attributes} --same-owner -p -C "$2" -xf -`;
  await run('busybox', ['sh', '-c', `set -o pipefail; ${pack} | ${unpack}`, programPath('tar'), from, to]);
}
