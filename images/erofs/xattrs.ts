import { roundUp, xattrPrefixes } from './format.ts';

const headerSize = 12;
const entryHeaderSize = 4;

/** The inline attribute area that follows an inode: a header without shared attributes, then the entries. */
export function encodeXattrs(xattrs: ReadonlyMap<string, Uint8Array> | undefined): Buffer {
  if (xattrs === undefined || xattrs.size === 0) return Buffer.alloc(0);
  const names = [...xattrs.keys()].sort();
  return Buffer.concat([Buffer.alloc(headerSize), ...names.map((name) => entry(name, xattrs.get(name)!))]);
}

/** `i_xattr_icount` of an area of this size: the header counts as one, every further 4 bytes as one. */
export function xattrCount(areaBytes: number): number {
  return areaBytes === 0 ? 0 : 1 + (areaBytes - headerSize) / 4;
}

function entry(fullName: string, value: Uint8Array): Buffer {
  const [prefix, index] = xattrPrefixes.find(([prefix]) => fullName.startsWith(prefix)) ?? [];
  if (prefix === undefined || index === undefined)
    throw new Error(`EROFS has no place for the attribute "${fullName}"`);
  const name = Buffer.from(fullName.slice(prefix.length));
  const bytes = Buffer.alloc(roundUp(entryHeaderSize + name.length + value.length, 4));
  bytes.writeUInt8(name.length, 0);
  bytes.writeUInt8(index, 1);
  bytes.writeUInt16LE(value.length, 2);
  name.copy(bytes, entryHeaderSize);
  bytes.set(value, entryHeaderSize + name.length);
  return bytes;
}
