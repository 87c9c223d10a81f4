/**
 * Constants of the EROFS on-disk format (kernel: `fs/erofs/erofs_fs.h`, Documentation/filesystems/erofs.rst).
 * All numbers are little-endian.
 */
export const blockSize = 4096;
export const blockBits = 12;
export const superOffset = 1024;
export const superSize = 128;
export const superMagic = 0xe0f5e1e2;
/** The superblock has a checksum; times of inodes are modification times. */
export const featureCompat = 0x1 | 0x2;

/** Inodes sit at multiples of this; a node's id is its offset in this unit. */
export const slotSize = 32;
export const compactInodeSize = 32;
export const extendedInodeSize = 64;

export const dataLayout = { plain: 0, inline: 2 } as const;
export type DataLayout = (typeof dataLayout)[keyof typeof dataLayout];

export const direntSize = 12;
export const maxNameBytes = 255;

export const fileType = { file: 1, directory: 2, character: 3, block: 4, symlink: 7 } as const;
/** S_IF… of stat(2). */
export const modeBits = {
  file: 0o100000,
  directory: 0o040000,
  character: 0o020000,
  block: 0o060000,
  symlink: 0o120000,
} as const;

/** `e_name_index`, by the name's prefix. */
export const xattrPrefixes = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
] as const;

export function blocksOf(bytes: number): number {
  return Math.ceil(bytes / blockSize);
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
