import { blockSize, direntSize, maxNameBytes } from './format.ts';

export interface DirectoryEntry {
  readonly name: string;
  /** One of `fileType`. */
  readonly type: number;
  readonly nodeId: number;
}

/**
 * Names of a directory, `.` and `..` among them, in byte order and cut into blocks: each block holds its
 * fixed-size entries, then their names. The order runs through all blocks, since the kernel searches them by
 * bisection.
 */
export function packNames(names: readonly string[]): Buffer[][] {
  const sorted = names.map((name) => Buffer.from(name)).sort(Buffer.compare);
  const blocks: Buffer[][] = [];
  let used = blockSize;
  for (const name of sorted) {
    if (name.length > maxNameBytes) throw new Error(`file name of ${name.length} bytes: "${name}"`);
    const size = direntSize + name.length;
    if (used + size > blockSize) {
      blocks.push([]);
      used = 0;
    }
    blocks.at(-1)!.push(name);
    used += size;
  }
  return blocks;
}

/** Bytes of the directory: full blocks, and what is used of the last. */
export function directorySize(blocks: readonly Buffer[][]): number {
  const last = blocks.at(-1)!;
  const used = last.reduce((sum, name) => sum + direntSize + name.length, 0);
  return (blocks.length - 1) * blockSize + used;
}

export function encodeDirectory(blocks: readonly Buffer[][], entries: readonly DirectoryEntry[]): Buffer {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const bytes = Buffer.alloc(directorySize(blocks));
  blocks.forEach((names, block) => {
    const start = block * blockSize;
    let nameOffset = names.length * direntSize;
    names.forEach((name, index) => {
      const { nodeId, type } = byName.get(name.toString())!;
      const at = start + index * direntSize;
      bytes.writeBigUInt64LE(BigInt(nodeId), at);
      bytes.writeUInt16LE(nameOffset, at + 8);
      bytes.writeUInt8(type, at + 10);
      name.copy(bytes, start + nameOffset);
      nameOffset += name.length;
    });
  });
  return bytes;
}
