import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runCommand } from './run-command.ts';

/**
 * Copies a program of this computer, with its libraries, into a new directory, for containers that have none of them.
 * Returns the words that run it where that directory is. Throws when there is no such program.
 */
export async function bring(program: string, directory: string): Promise<(at: string) => string[]> {
  const { stdout: path } = await runCommand('sh', ['-c', `command -v ${program}`]);
  const { stdout } = await runCommand('ldd', [path.trim()]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library!);
  const loader = libraries.map((library) => basename(library)).find((name) => name.startsWith('ld-'));
  if (loader === undefined) throw new Error(`cannot bring "${program}"`);
  await mkdir(directory);
  for (const file of [path.trim(), ...libraries]) await copyFile(file, join(directory, basename(file)));
  return (at) => [`${at}/${loader}`, '--library-path', at, `${at}/${program}`];
}
