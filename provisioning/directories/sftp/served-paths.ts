import { Refusal } from './errors.ts';
import { join } from './held-directories.ts';
import { status } from './protocol.ts';
import type { SharedTree } from './shared-tree.ts';

/** Where a client's path leads: to the list of all trees, or to a place in one of them. */
export type Place = PlaceInTree | { readonly tree: null; readonly parts: readonly [] };

export interface PlaceInTree {
  readonly tree: SharedTree;
  readonly parts: readonly Buffer[];
}

/**
 * Path → place. `/` holds the trees by their keys; `..` is taken away in the text, as no part of a path is a
 * symbolic link here. Throws Refusal for a tree that is not there, and for a name that no file can have.
 */
export function placeIn(trees: ReadonlyMap<string, SharedTree>, path: Buffer): Place {
  const [first, ...parts] = partsOf(path);
  if (first === undefined) return { tree: null, parts: [] };
  const tree = trees.get(first.toString('latin1'));
  if (tree === undefined) throw new Refusal(status.noSuchFile, 'no such directory is shared');
  return { tree, parts };
}

/** What a client is told its path is. */
export function absolute(path: Buffer): Buffer {
  const parts = partsOf(path);
  return parts.length === 0 ? Buffer.from('/') : join(Buffer.alloc(0), parts);
}

function partsOf(path: Buffer): Buffer[] {
  if (path.includes(0)) throw new Refusal(status.noSuchFile, 'a name with a zero in it');
  const parts: Buffer[] = [];
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf(0x2f, start);
    const end = slash < 0 ? path.length : slash;
    const part = path.subarray(start, end);
    start = end + 1;
    if (part.length === 0 || (part.length === 1 && part[0] === 0x2e)) continue;
    if (part.length === 2 && part[0] === 0x2e && part[1] === 0x2e) parts.pop();
    else if (process.platform === 'win32' && /[\\/:]/.test(part.toString('latin1')))
      throw new Refusal(status.noSuchFile, 'a name that Windows takes for a path');
    else parts.push(part);
  }
  return parts;
}
