import { InvalidParameter } from '../errors.ts';
import { emptyLower, type LowerView } from './lower-view.ts';
import { readable, type TarEntry } from './tar-entry.ts';

/**
 * The layer being written, kept in memory next to the directory on disk. Nobody else writes there, so paths
 * are resolved here and not by the kernel: a symbolic link from the tar is never followed on disk, and no
 * system call is spent on looking.
 */
export interface DirectoryNode {
  readonly kind: 'directory';
  /** Byte string relative to the layer's root; empty for the root itself. */
  readonly path: string;
  readonly parent: DirectoryNode | null;
  readonly children: Map<string, TreeNode>;
  /** Names of lower layers that the tar deletes here. */
  readonly whiteouts: Set<string>;
  /** Hides everything of lower layers. */
  opaque: boolean;
  /** Attributes; null where the tar never named the directory. */
  entry: TarEntry | null;
}

export interface LeafNode {
  readonly kind: 'leaf';
  readonly path: string;
  /** Shared by hard links. */
  readonly inode: Inode;
  /** Number of the payload record whose bytes are here, if any. */
  readonly payload: number | null;
  /** False for what is made at the end by another program: devices, and links to what has attributes. */
  readonly onDisk: boolean;
}

export interface Inode {
  readonly entry: TarEntry;
  /** To be made again with its attributes at the end. */
  readonly special: boolean;
}

export type TreeNode = DirectoryNode | LeafNode;

/** The kernel's own limit (MAXSYMLINKS). */
const maxLinks = 40;

export function rootNode(): DirectoryNode {
  return directoryNode('', null);
}

export function directoryNode(path: string, parent: DirectoryNode | null): DirectoryNode {
  return {
    kind: 'directory',
    path,
    parent,
    children: new Map(),
    whiteouts: new Set(),
    opaque: false,
    entry: null,
  };
}

export function childPath(directory: DirectoryNode, name: string): string {
  return directory.path === '' ? name : `${directory.path}/${name}`;
}

/**
 * The parts of a name in a tar. Absolute names are meant from the layer's root, as every extractor of
 * layers has it. Throws InvalidParameter for names that lead out of the layer.
 */
export function splitName(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) {
      throw new InvalidParameter(`malformed layer: "${readable(name)}" leads out of the layer`);
    }
  }
  return parts;
}

/** What `path` shows in lower layers, unless this layer hides them on the way. */
export function lookupLower(lower: LowerView, directory: DirectoryNode, name: string) {
  return hidesLower(directory, name) ? emptyLower.lookup(name) : lower.lookup(childPath(directory, name));
}

/** Whether the layer, as far as it is written, hides what lower layers have in its directory by that name. */
export function hidesLower(directory: DirectoryNode, name: string): boolean {
  if (directory.opaque || directory.whiteouts.has(name)) return true;
  const { parent, path } = directory;
  return parent !== null && hidesLower(parent, path.slice(path.lastIndexOf('/') + 1));
}

/**
 * Walks to a directory as a process with its root in the layer would: links are followed inside it, `..`
 * stops at it. `missing` is asked for what this layer has not: it answers with a directory that it made or
 * the target of a lower layer's link. Throws InvalidParameter when something on the way is no directory.
 */
export function walk(
  root: DirectoryNode,
  parts: readonly string[],
  missing: (directory: DirectoryNode, name: string) => DirectoryNode | { readonly target: string },
): DirectoryNode {
  const pending = [...parts].reverse();
  let at = root;
  for (let links = 0, name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = at.parent ?? root;
      continue;
    }
    const child = at.children.get(name) ?? missing(at, name);
    if ('target' in child || child.kind === 'leaf') {
      const target = 'target' in child ? child.target : linkTarget(child);
      if (++links > maxLinks) {
        throw new InvalidParameter(`malformed layer: too many symbolic links at "${readable(name)}"`);
      }
      if (target.startsWith('/')) at = root;
      pending.push(...target.split('/').reverse());
    } else at = child;
  }
  return at;
}

function linkTarget(leaf: LeafNode): string {
  if (leaf.inode.entry.type === 'symlink') return leaf.inode.entry.linkPath;
  throw new InvalidParameter(`malformed layer: "${readable(leaf.path)}" is not a directory`);
}
