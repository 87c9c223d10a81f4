import { posix } from 'node:path';
import { isElf, neededLibraries } from '../kernel/elf.ts';
import { withReader } from '../tree/content.ts';
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
    if (node.kind !== 'file' || path.endsWith('.ko')) continue;
    const libraries = await withReader(node.content, async (read) =>
      (await isElf(read)) ? neededLibraries(read) : [],
    );
    for (const library of libraries) if (!present.has(library)) missing.push({ path, library });
  }
  return missing;
}
