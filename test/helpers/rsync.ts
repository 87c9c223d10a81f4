import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianTools } from '../compat/debian-tools.ts';
import { runCommand } from './run-command.ts';

/**
 * The PATH with a directory before it that has rsync: this computer's, else Debian's, with its own C library, written into
 * `directory`. Throws when there is none.
 */
export async function pathWithRsync(directory: string): Promise<string> {
  const path = process.env.PATH ?? '';
  if ((await runCommand('sh', ['-c', 'command -v rsync'])).exitCode === 0) return path;
  const root = await debianTools('rsync');
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const libraries = join(root, 'usr/lib', triplet);
  const loader = join(libraries, process.arch === 'arm64' ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2');
  await mkdir(directory, { recursive: true });
  const program = join(directory, 'rsync');
  await writeFile(
    program,
    `#!/bin/sh\nexec '${loader}' --library-path '${libraries}' '${root}/usr/bin/rsync' "$@"\n`,
  );
  await chmod(program, 0o755);
  return `${directory}:${path}`;
}
