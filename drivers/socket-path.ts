import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FailedPrecondition } from './errors.ts';

/** sun_path holds 104 bytes on macOS and 108 on Linux, with the zero at its end. */
export const maxSocketPathBytes = 103;

/**
 * Where unix sockets with these names go when they do not fit into a machine's directory: always the same place
 * for the same machine and `temporary`. Null when they fit.
 */
export function shortDirectoryFor(
  directory: string,
  names: readonly string[],
  temporary = tmpdir(),
): string | null {
  const longest = Math.max(...names.map((name) => Buffer.byteLength(join(directory, name))));
  if (longest <= maxSocketPathBytes) return null;
  // Loaded here, since few need it and `machine env`, which is timed in milliseconds, does not.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 16);
  return join(temporary, `machine-${hash}`);
}

/** Makes the directory of the sockets, ours alone. Throws FailedPrecondition when another user has put something there. */
export async function makeSocketDirectory(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
    throw new FailedPrecondition(`"${path}" belongs to someone else; remove it`);
}
