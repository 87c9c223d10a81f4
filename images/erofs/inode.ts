import { modeBits } from './format.ts';
import { inodeBytes, type PlacedInode } from './layout.ts';
import { xattrCount } from './xattrs.ts';

/** The inode itself, 32 bytes or 64; the short form takes its times from the superblock. */
export function encodeInode(inode: PlacedInode, buildTime: number): Buffer {
  const { node } = inode;
  const bytes = Buffer.alloc(inodeBytes(inode));
  bytes.writeUInt16LE((inode.extended ? 1 : 0) | (inode.layout << 1), 0);
  bytes.writeUInt16LE(xattrCount(inode.xattrs.length), 2);
  bytes.writeUInt16LE(modeBits[node.kind] | (node.mode & 0o7777), 4);
  bytes.writeUInt32LE(addressOrDevice(inode), 16);
  bytes.writeUInt32LE(inode.number, 20);
  if (!inode.extended) {
    bytes.writeUInt16LE(inode.links, 6);
    bytes.writeUInt32LE(inode.size, 8);
    bytes.writeUInt16LE(node.uid, 24);
    bytes.writeUInt16LE(node.gid, 26);
    return bytes;
  }
  bytes.writeBigUInt64LE(BigInt(inode.size), 8);
  bytes.writeUInt32LE(node.uid, 24);
  bytes.writeUInt32LE(node.gid, 28);
  bytes.writeBigUInt64LE(BigInt(buildTime), 32);
  bytes.writeUInt32LE(inode.links, 44);
  return bytes;
}

/** `i_u`: the first data block, or a device number as the kernel's `new_encode_dev` packs it. */
function addressOrDevice(inode: PlacedInode): number {
  const { node } = inode;
  if (node.kind === 'character' || node.kind === 'block')
    return ((node.minor & 0xff) | (node.major << 8) | ((node.minor & ~0xff) << 12)) >>> 0;
  return inode.firstBlock;
}
