import { readFile } from 'node:fs/promises';
import type { MachinePaths } from '../../paths.ts';

/** Another place at which the machine's API is to be, a path to listen at; null when there is none. */
export async function alsoAt({ alsoAt: file }: Pick<MachinePaths, 'alsoAt'>): Promise<string | null> {
  const path = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '';
  });
  return path === '' ? null : path;
}
