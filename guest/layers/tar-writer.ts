import { formatPax, formatPaxTime } from './pax.ts';
import type { EntryType, TarEntry } from './tar-entry.ts';
import { checksum, fitsOctal, writeOctal } from './tar-fields.ts';
import { blockSize, xattrPrefix } from './tar-header.ts';

const flags: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** Two zero blocks. */
export const tarEnd: Buffer = Buffer.alloc(2 * blockSize);

/**
 * The header blocks of an entry: plain ustar where everything fits, preceded by a pax header with just what
 * does not. The caller sends `entry.size` bytes of payload and {@link tarPadding} after it. The same entry
 * gives the same bytes.
 */
export function encodeHeader(entry: TarEntry): Buffer {
  const records = new Map<string, Uint8Array>();
  const block = Buffer.alloc(blockSize);
  const path = entry.type === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
  putPath(block, path, records);
  putLink(block, entry.linkPath, records);
  writeOctal(block, entry.mode & 0o7777, 100, 8);
  putNumber(block, 'uid', entry.uid, 108, 8, records);
  putNumber(block, 'gid', entry.gid, 116, 8, records);
  putNumber(block, 'size', entry.size, 124, 12, records);
  putTime(block, entry.mtimeNs, records);
  block.write(flags[entry.type], 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  if (entry.type === 'character' || entry.type === 'block') {
    writeOctal(block, entry.deviceMajor, 329, 8);
    writeOctal(block, entry.deviceMinor, 337, 8);
  }
  for (const name of [...entry.xattrs.keys()].sort())
    records.set(xattrPrefix + name, entry.xattrs.get(name)!);
  seal(block);
  return records.size === 0 ? block : Buffer.concat([paxHeader(path, records), block]);
}

/** Zeros that fill the last block of a payload. */
export function tarPadding(size: number): Buffer {
  return tarEnd.subarray(0, (blockSize - (size % blockSize)) % blockSize);
}

function paxHeader(path: string, records: ReadonlyMap<string, Uint8Array>): Buffer {
  const body = formatPax(records);
  const block = Buffer.alloc(blockSize);
  const base = path.replace(/\/$/, '').split('/').at(-1)!;
  block.write(`PaxHeaders/${base.replace(/[^\x20-\x7e]/g, '_')}`.slice(0, 100), 0, 'latin1');
  writeOctal(block, 0o644, 100, 8);
  writeOctal(block, 0, 108, 8);
  writeOctal(block, 0, 116, 8);
  writeOctal(block, body.length, 124, 12);
  writeOctal(block, 0, 136, 12);
  block.write('x', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  seal(block);
  return Buffer.concat([block, body, tarPadding(body.length)]);
}

function putPath(block: Buffer, path: string, records: Map<string, Uint8Array>): void {
  if (path.length <= 100) {
    block.write(path, 0, 'latin1');
    return;
  }
  // The prefix field takes up to 155 bytes before a slash, the name field up to 100 after it.
  const slash = path.lastIndexOf('/', 155);
  const name = path.slice(slash + 1);
  if (slash > 0 && name.length <= 100 && name !== '') {
    block.write(path.slice(0, slash), 345, 'latin1');
    block.write(name, 0, 'latin1');
  } else {
    records.set('path', Buffer.from(path, 'latin1'));
    block.write(path.slice(0, 100), 0, 'latin1');
  }
}

function putLink(block: Buffer, link: string, records: Map<string, Uint8Array>): void {
  if (link.length > 100) records.set('linkpath', Buffer.from(link, 'latin1'));
  block.write(link.slice(0, 100), 157, 'latin1');
}

function putNumber(
  block: Buffer,
  key: string,
  value: number,
  offset: number,
  length: number,
  records: Map<string, Uint8Array>,
): void {
  const fits = fitsOctal(value, length);
  if (!fits) records.set(key, Buffer.from(String(value)));
  writeOctal(block, fits ? value : 0, offset, length);
}

function putTime(block: Buffer, ns: bigint, records: Map<string, Uint8Array>): void {
  const seconds = Number(ns / 1_000_000_000n);
  const whole = ns % 1_000_000_000n === 0n && fitsOctal(seconds, 12);
  if (!whole) records.set('mtime', Buffer.from(formatPaxTime(ns)));
  writeOctal(block, fitsOctal(seconds, 12) ? seconds : 0, 136, 12);
}

function seal(block: Buffer): void {
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
