import { open } from 'node:fs/promises';
import { readRange } from '../tree/content.ts';
import type { FileTree, Node } from '../tree/file-tree.ts';
import { type DirectoryEntry, encodeDirectory } from './directory.ts';
import { blockSize, fileType } from './format.ts';
import { encodeInode } from './inode.ts';
import { inodeBytes, type Layout, layOut, nodeId, type PlacedInode } from './layout.ts';
import { writeSuperblock } from './superblock.ts';

export interface WriteErofsOptions {
  readonly tree: FileTree;
  /** Made or overwritten; flushed to disk when the call returns. */
  readonly path: string;
  /** Seconds since 1970; the time of every file. */
  readonly buildTime: number;
  /** 16 bytes, from the content's digest so that equal trees give equal images. */
  readonly uuid: Uint8Array;
  readonly signal?: AbortSignal;
  readonly onBytes?: (doneBytes: number, totalBytes: number) => void;
}

/** Writes an uncompressed EROFS image in one pass; file data streams from its source. */
export async function writeErofs({
  tree,
  path,
  buildTime,
  uuid,
  signal,
  onBytes,
}: WriteErofsOptions): Promise<void> {
  const layout = layOut(tree);
  const metadata = await encodeMetadata(layout, buildTime);
  writeSuperblock(metadata, {
    rootNodeId: nodeId(layout.inodes[0]!),
    inodeCount: layout.inodes.length,
    buildTime,
    totalBlocks: layout.totalBlocks,
    uuid,
  });
  const output = await open(path, 'w', 0o644);
  try {
    const totalBytes = layout.totalBlocks * blockSize;
    let done = 0;
    for await (const chunk of imageBytes(metadata, layout)) {
      signal?.throwIfAborted();
      await output.writeFile(chunk);
      done += chunk.length;
      onBytes?.(done, totalBytes);
    }
    await output.sync();
  } finally {
    await output.close();
  }
}

async function encodeMetadata(layout: Layout, buildTime: number): Promise<Buffer> {
  const metadata = Buffer.alloc(layout.metadataBlocks * blockSize);
  for (const inode of layout.inodes) {
    encodeInode(inode, buildTime).copy(metadata, inode.offset);
    let at = inode.offset + inodeBytes(inode);
    inode.xattrs.copy(metadata, at);
    at += inode.xattrs.length;
    if (inode.tailBytes === 0) continue;
    for await (const chunk of dataOf(inode, layout, inode.size - inode.tailBytes, inode.size)) {
      metadata.set(chunk, at);
      at += chunk.length;
    }
  }
  return metadata;
}

async function* imageBytes(metadata: Buffer, layout: Layout): AsyncGenerator<Uint8Array> {
  yield metadata;
  for (const inode of layout.inodes) {
    const end = inode.size - inode.tailBytes;
    yield* dataOf(inode, layout, 0, end);
    const padding = (blockSize - (end % blockSize)) % blockSize;
    if (padding > 0) yield Buffer.alloc(padding);
  }
}

async function* dataOf(
  inode: PlacedInode,
  layout: Layout,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  if (end <= start) return;
  const { node } = inode;
  if (node.kind === 'file') yield* readRange(node.content, start, end);
  else if (node.kind === 'symlink') yield Buffer.from(node.target).subarray(start, end);
  else if (node.kind === 'directory')
    yield encodeDirectory(inode.nameBlocks!, directoryEntries(inode, node.children, layout)).subarray(
      start,
      end,
    );
}

function directoryEntries(
  inode: PlacedInode,
  children: ReadonlyMap<string, Node>,
  layout: Layout,
): DirectoryEntry[] {
  const entry = (name: string, target: PlacedInode): DirectoryEntry => ({
    name,
    type: fileType[target.node.kind],
    nodeId: nodeId(target),
  });
  return [
    entry('.', inode),
    entry('..', inode.parent ?? inode),
    ...[...children].map(([name, node]) => entry(name, layout.byNode.get(node)!)),
  ];
}
