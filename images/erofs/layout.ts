import { contentSize } from '../tree/content.ts';
import { type DirectoryNode, type FileTree, type Node, sortedNames } from '../tree/file-tree.ts';
import { directorySize, packNames } from './directory.ts';
import {
  blockSize,
  blocksOf,
  compactInodeSize,
  type DataLayout,
  dataLayout,
  extendedInodeSize,
  roundUp,
  slotSize,
  superOffset,
  superSize,
} from './format.ts';
import { encodeXattrs } from './xattrs.ts';

/** Where one inode and its data go. Offsets are bytes from the start of the image. */
export interface PlacedInode {
  readonly node: Node;
  /** From 1, in the order of the tree. */
  readonly number: number;
  readonly parent: PlacedInode | null;
  readonly links: number;
  readonly size: number;
  readonly extended: boolean;
  readonly xattrs: Buffer;
  readonly layout: DataLayout;
  /** Bytes that follow the inode itself; the rest is in whole blocks. */
  readonly tailBytes: number;
  readonly nameBlocks: Buffer[][] | null;
  readonly offset: number;
  /** First block of the data outside the inode; 0 when there is none. */
  readonly firstBlock: number;
}

export interface Layout {
  /** In the order of their offsets; the root is first. */
  readonly inodes: readonly PlacedInode[];
  readonly byNode: ReadonlyMap<Node, PlacedInode>;
  readonly metadataBlocks: number;
  readonly totalBlocks: number;
}

type Unplaced = Omit<PlacedInode, 'offset' | 'firstBlock' | 'links' | 'parent'> & {
  links: number;
  parent: PlacedInode | null;
  offset: number;
  firstBlock: number;
};

/**
 * Places everything before a byte is written: metadata (inodes with attributes and tails) from the superblock
 * on, then the data in the same order. An inode with what follows it never crosses a block, because the
 * kernel refuses tails that do.
 */
export function layOut(tree: FileTree): Layout {
  const inodes: Unplaced[] = [];
  const byNode = new Map<Node, Unplaced>();
  collect(tree.root, null, inodes, byNode);

  let offset = superOffset + superSize;
  for (const inode of inodes) {
    const bytes = inodeBytes(inode) + inode.xattrs.length + inode.tailBytes;
    if (Math.floor(offset / blockSize) !== Math.floor((offset + bytes - 1) / blockSize))
      offset = roundUp(offset, blockSize);
    inode.offset = offset;
    offset = roundUp(offset + bytes, slotSize);
  }
  const metadataBlocks = blocksOf(offset);

  let block = metadataBlocks;
  for (const inode of inodes) {
    const count = blocksOf(inode.size - inode.tailBytes);
    if (count === 0) continue;
    inode.firstBlock = block;
    block += count;
  }
  return { inodes, byNode, metadataBlocks, totalBlocks: block };
}

export function inodeBytes(inode: Pick<PlacedInode, 'extended'>): number {
  return inode.extended ? extendedInodeSize : compactInodeSize;
}

export function nodeId(inode: PlacedInode): number {
  return inode.offset / slotSize;
}

function collect(node: Node, parent: Unplaced | null, inodes: Unplaced[], byNode: Map<Node, Unplaced>): void {
  const known = byNode.get(node);
  if (known !== undefined) {
    if (node.kind === 'directory') throw new Error('a directory cannot have two names');
    known.links += 1;
    return;
  }
  const inode = measure(node, parent, inodes.length + 1);
  inodes.push(inode);
  byNode.set(node, inode);
  if (node.kind !== 'directory') return;
  for (const name of sortedNames(node)) collect(node.children.get(name)!, inode, inodes, byNode);
}

function measure(node: Node, parent: Unplaced | null, number: number): Unplaced {
  const nameBlocks = node.kind === 'directory' ? packNames(['.', '..', ...node.children.keys()]) : null;
  const size = nameBlocks ? directorySize(nameBlocks) : dataSize(node);
  const links = node.kind === 'directory' ? 2 + subdirectories(node) : 1;
  const extended = node.uid > 0xffff || node.gid > 0xffff || size > 0xffffffff || links > 0xffff;
  const xattrs = encodeXattrs(node.xattrs);
  const header = inodeBytes({ extended }) + xattrs.length;
  if (header > blockSize) throw new Error(`${xattrs.length} bytes of extended attributes on one file`);
  const tail = size % blockSize;
  const inline = tail > 0 && header + tail <= blockSize;
  return {
    node,
    number,
    parent,
    links,
    size,
    extended,
    xattrs,
    layout: inline ? dataLayout.inline : dataLayout.plain,
    tailBytes: inline ? tail : 0,
    nameBlocks,
    offset: 0,
    firstBlock: 0,
  };
}

function dataSize(node: Node): number {
  if (node.kind === 'file') return contentSize(node.content);
  return node.kind === 'symlink' ? Buffer.byteLength(node.target) : 0;
}

function subdirectories(directory: DirectoryNode): number {
  return [...directory.children.values()].filter((child) => child.kind === 'directory').length;
}
