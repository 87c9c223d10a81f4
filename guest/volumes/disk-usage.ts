import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of disk of the files below a directory, hard links once. What vanishes meanwhile counts nothing. */
export async function diskUsage(directory: string): Promise<number> {
  const seen = new Set<bigint>();
  const of = async (path: string): Promise<number> => {
    const stat = await lstat(path, { bigint: true }).catch(() => null);
    if (!stat || (stat.nlink > 1n && !stat.isDirectory() && seen.has(stat.ino))) return 0;
    seen.add(stat.ino);
    if (!stat.isDirectory()) return Number(stat.blocks) * 512;
    let total = 0;
    for (const name of await readdir(path).catch(() => [])) total += await of(join(path, name));
    return total;
  };
  return of(directory);
}
