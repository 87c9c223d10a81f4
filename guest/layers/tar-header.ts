import { InvalidParameter } from '../errors.ts';
import { parsePaxNumber, parsePaxTime } from './pax.ts';
import type { EntryType, TarEntry } from './tar-entry.ts';
import { readNumber, readString } from './tar-fields.ts';

export const blockSize = 512;
export const xattrPrefix = 'SCHILY.xattr.';

/** What the blocks before a header said about it: GNU long names and pax records. */
export interface HeaderExtensions {
  readonly longPath: string | undefined;
  readonly longLink: string | undefined;
  readonly records: ReadonlyMap<string, Buffer>;
}

const types: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** Throws InvalidParameter: unknown type, sparse file, number out of range, empty name. */
export function decodeHeader(block: Buffer, extensions: HeaderExtensions): TarEntry {
  const { records } = extensions;
  const text = (key: string) => records.get(key)?.toString('latin1');
  const path = extensions.longPath ?? text('path') ?? ustarPath(block);
  const flag = block.toString('latin1', 156, 157);
  const type = flag === '\0' && path.endsWith('/') ? 'directory' : types[flag];
  if (flag === 'S' || [...records.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
    throw new InvalidParameter('unsupported tar: sparse file; make the archive without --sparse');
  }
  if (type === undefined) throw new InvalidParameter(`unsupported tar: entry type ${JSON.stringify(flag)}`);
  const linkPath = extensions.longLink ?? text('linkpath') ?? readString(block, 157, 100);
  if (path === '' || path.includes('\0') || linkPath.includes('\0')) {
    throw new InvalidParameter('malformed tar: an entry has an empty name or NUL in it');
  }
  const number = (key: string, offset: number, length: number) => {
    const record = text(key);
    return record === undefined ? readNumber(block, offset, length) : parsePaxNumber(record);
  };
  const size = number('size', 124, 12);
  const isDevice = type === 'character' || type === 'block';
  const mtime = text('mtime');
  return {
    path,
    type,
    // Headers of links and directories may carry a size; no payload follows them.
    size: type === 'file' ? natural(size, 'size') : 0,
    mode: readNumber(block, 100, 8) & 0o7777,
    uid: owner(number('uid', 108, 8)),
    gid: owner(number('gid', 116, 8)),
    mtimeNs: mtime === undefined ? BigInt(readNumber(block, 136, 12)) * 1_000_000_000n : parsePaxTime(mtime),
    linkPath: type === 'symlink' || type === 'hardlink' ? linkPath : '',
    deviceMajor: isDevice ? device(readNumber(block, 329, 8)) : 0,
    deviceMinor: isDevice ? device(readNumber(block, 337, 8)) : 0,
    xattrs: xattrsOf(records),
  };
}

/** Only POSIX headers have the prefix field; GNU keeps times there, and old ones nothing. */
function ustarPath(block: Buffer): string {
  const name = readString(block, 0, 100);
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return name;
  const isStar = block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = readString(block, 345, isStar ? 131 : 155);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function xattrsOf(records: ReadonlyMap<string, Buffer>): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), Buffer.from(value));
  }
  return xattrs;
}

function natural(value: number, what: string): number {
  if (value < 0) throw new InvalidParameter(`malformed tar: negative ${what}`);
  return value;
}

/** Linux has 12 bits of major and 20 of minor number. */
function device(value: number): number {
  if (value < 0 || value >= 2 ** 20) throw new InvalidParameter('malformed tar: device number out of range');
  return value;
}

/** The kernel's ids have 32 bits, and the last one means "none". */
function owner(id: number): number {
  if (id < 0 || id >= 0xffffffff) throw new InvalidParameter('malformed tar: owner out of range');
  return id;
}
