import { childPath, type DirectoryNode, type Inode, type LeafNode } from './layer-tree.ts';
import type { LowerView } from './lower-view.ts';
import type { SpecialEntry } from './special-entries.ts';
import { tarEntry } from './tar-entry.ts';
import { opaqueXattr } from './whiteout.ts';

/** What a finished layer needs made by another program than Node, and its opaque directories. */
export interface LayerSpecials {
  readonly entries: readonly SpecialEntry[];
  /** Paths; `.` is the root. */
  readonly opaque: readonly string[];
}

/**
 * Devices, files with attributes, whiteouts and opaque directories of a layer. Whiteouts are made only over
 * something: elsewhere they are litter that overlay shows in listings.
 *
 * @param at where a path of the layer is on the host
 */
export function layerSpecials(
  root: DirectoryNode,
  lower: LowerView,
  at: (path: string) => string,
): LayerSpecials {
  const entries: SpecialEntry[] = [];
  const opaque: string[] = [];
  /** The first path of each special inode; later ones are links to it. */
  const made = new Map<Inode, string>();
  const add = (leaf: LeafNode) => {
    const { path, inode, onDisk } = leaf;
    const first = made.get(inode);
    if (first !== undefined) {
      const { mode } = inode.entry;
      entries.push({ entry: tarEntry({ path, type: 'hardlink', linkPath: first, mode }) });
      return;
    }
    made.set(inode, path);
    entries.push({ entry: { ...inode.entry, path }, ...(onDisk && { content: at(path) }) });
  };
  /** `below` is null where this layer hides it. */
  const visit = (directory: DirectoryNode, below: LowerView | null) => {
    const path = directory.path || '.';
    const isOpaque = directory.opaque && below?.lookup(path)?.kind === 'directory';
    const entry = directory.entry ?? tarEntry({ path, type: 'directory', mode: 0o755 });
    if (isOpaque) {
      opaque.push(path);
      entries.push({
        entry: { ...entry, xattrs: new Map([...entry.xattrs, [opaqueXattr, Buffer.from('y')]]) },
      });
    } else if (entry.xattrs.size > 0) entries.push({ entry });
    const shown = isOpaque ? null : below;
    for (const name of directory.whiteouts) {
      const child = directory.children.get(name);
      const place = childPath(directory, name);
      if (child?.kind === 'directory') child.opaque = true;
      else if (!child && shown?.lookup(place))
        entries.push({ entry: tarEntry({ path: place, type: 'character', mode: 0 }) });
    }
    for (const child of directory.children.values()) {
      if (child.kind === 'directory') visit(child, shown);
      else if (child.inode.special) add(child);
    }
  };
  visit(root, lower);
  return { entries, opaque };
}
