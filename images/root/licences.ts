import { readAll } from '../tree/content.ts';
import type { FileTree } from '../tree/file-tree.ts';

/** Short licence names of a machine-readable copyright file (DEP-5), sorted; null when it is not one. */
export function licencesOf(copyright: string): string[] | null {
  if (!/^Format:.*copyright-format/im.test(copyright)) return null;
  const names = [...copyright.matchAll(/^License:[ \t]*(\S[^\n]*)$/gim)].map(([, name]) => name!.trim());
  return [...new Set(names)].sort();
}

export interface PackageLicences {
  readonly licences: readonly string[];
  readonly licencesAbsent?: string;
}

/** Of a package whose copyright file is in the tree, where it is kept for everyone to read. */
export async function packageLicences(tree: FileTree, name: string): Promise<PackageLicences> {
  const documents = name.startsWith('linux-image-') ? 'linux-image' : name;
  const path = `/usr/share/doc/${documents}/copyright`;
  const node = tree.get(path);
  if (node?.kind !== 'file') return { licences: [], licencesAbsent: `the package has no ${path} of its own` };
  const licences = licencesOf((await readAll(node.content)).toString('utf8'));
  return licences === null
    ? { licences: [], licencesAbsent: `${path} is not machine-readable` }
    : { licences };
}
