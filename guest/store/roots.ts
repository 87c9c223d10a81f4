import { accessSync, constants, existsSync, readdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidParameter } from '../errors.ts';
import { makeDirectories } from '../host/make-directories.ts';

/** File systems that keep no files, by the magic number of statfs(2) (kernel include/uapi/linux/magic.h). */
const virtual: ReadonlyMap<number, string> = new Map([
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
  [0x27e0eb, 'cgroup'],
  [0x63677270, 'cgroup2'],
  [0x1cd1, 'devpts'],
]);

/**
 * Makes a directory that the engine keeps its files in. Throws InvalidParameter where no files can be kept.
 *
 * @param flag that chose it, for the message
 */
export function makeRoot(flag: string, path: string): void {
  let above = path;
  while (!existsSync(above)) above = dirname(above);
  const kind = virtual.get(statfsSync(above).type);
  if (kind !== undefined)
    throw new InvalidParameter(
      `${flag} "${path}" cannot be used: "${above}" is ${kind}, which keeps no files`,
    );
  try {
    makeDirectories(path, { mode: 0o700 });
    readdirSync(path);
    accessSync(path, constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EROFS' && code !== 'ENOTDIR' && code !== 'EACCES') throw cause;
    const why = { EROFS: 'read-only', ENOTDIR: 'not a directory', EACCES: 'not accessible' }[code];
    throw new InvalidParameter(`${flag} "${path}" cannot be used: it is ${why}`, { cause });
  }
}
