import { crc32c } from './crc32c.ts';
import { blockBits, blockSize, featureCompat, superMagic, superOffset } from './format.ts';

export interface SuperblockFields {
  readonly rootNodeId: number;
  readonly inodeCount: number;
  /** Seconds since 1970; the time of every file. */
  readonly buildTime: number;
  readonly totalBlocks: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
}

/** Writes the superblock into the image's first block, which must hold everything else of that block already. */
export function writeSuperblock(firstBlock: Buffer, fields: SuperblockFields): void {
  const at = firstBlock.subarray(superOffset, blockSize);
  at.writeUInt32LE(superMagic, 0);
  at.writeUInt32LE(featureCompat, 8);
  at.writeUInt8(blockBits, 12);
  at.writeUInt16LE(fields.rootNodeId, 14);
  at.writeBigUInt64LE(BigInt(fields.inodeCount), 16);
  at.writeBigUInt64LE(BigInt(fields.buildTime), 24);
  at.writeUInt32LE(fields.totalBlocks, 36);
  at.set(fields.uuid, 48);
  // Over the rest of the block with the checksum itself as zero.
  at.writeUInt32LE(crc32c(at), 4);
}
