import { posix } from 'node:path';
import { isElf, neededLibraries } from '../kernel/elf.ts';
import { readAll, readHead } from '../tree/content.ts';
import type { FileTree } from '../tree/file-tree.ts';

export interface MissingLibrary {
  readonly path: string;
  readonly library: string;
}

/** Shared libraries that programs of the tree ask for and that are not in it: what an exclusion took by mistake. */
export async function missingLibraries(tree: FileTree): Promise<MissingLibrary[]> {
  const present = new Set([...tree.entries()].map(({ path }) => posix.basename(path)));
  const missing: MissingLibrary[] = [];
  for (const { path, node } of tree.entries()) {
    if (node.kind !== 'file' || path.endsWith('.ko') || !isElf(await readHead(node.content, 4))) continue;
    for (const library of neededLibraries(await readAll(node.content)))
      if (!present.has(library)) missing.push({ path, library });
  }
  return missing;
}
