import {
  closeSync,
  close as closeWithCallback,
  type Dir,
  type Dirent,
  fstat,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  open as openWithCallback,
  readFileSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import * as fs from 'node:fs/promises';
import { promisify } from 'node:util';

/** What looks at files and waits for no disk's writes. Errors are those of the system, thrown or as rejections. */
export interface FileCalls {
  lstat(path: Buffer): Stats | Promise<Stats>;
  readlink(path: Buffer): Buffer | Promise<Buffer>;
  /** With flags that neither make nor cut a file. */
  open(path: Buffer, flags: number): number | Promise<number>;
  fstat(descriptor: number): Stats | Promise<Stats>;
  close(descriptor: number): void | Promise<void>;
  /** Its entries have names of type Buffer. */
  opendir(path: Buffer): Dir | Promise<Dir>;
  /** The next entry; null at the end. */
  readdir(listing: Dir): Dirent | null | Promise<Dirent | null>;
  closedir(listing: Dir): void | Promise<void>;
}

/** Entries that are read at once. */
export const listingBatch = 128;
const listing = { encoding: 'buffer' as BufferEncoding, bufferSize: listingBatch };

/** In a thread of Node's, so that this one goes on while a server of files is asked. */
export const callsInThreads: FileCalls = {
  lstat: (path) => fs.lstat(path),
  readlink: (path) => fs.readlink(path, { encoding: 'buffer' }),
  open: promisify(openWithCallback) as (path: Buffer, flags: number) => Promise<number>,
  fstat: promisify(fstat) as (descriptor: number) => Promise<Stats>,
  close: promisify(closeWithCallback),
  // A text in Node's types only.
  opendir: (path) => fs.opendir(path as unknown as string, listing),
  readdir: (listing) => listing.read(),
  closedir: (listing) => listing.close(),
};

/**
 * At once: what takes some microseconds on a file system of this computer takes ten times as long by way of a thread, and
 * a `git status` asks for thousands.
 */
export const callsAtOnce: FileCalls = {
  lstat: (path) => lstatSync(path),
  readlink: (path) => readlinkSync(path, { encoding: 'buffer' }),
  open: (path, flags) => openSync(path as unknown as string, flags),
  fstat: (descriptor) => fstatSync(descriptor),
  close: closeSync,
  opendir: (path) => opendirSync(path as unknown as string, listing),
  readdir: (listing) => listing.readSync(),
  closedir: (listing) => listing.closeSync(),
};

/** Of statfs(2): file systems whose disks, if any, are of this computer. */
const localTypes: ReadonlySet<number> = new Set([
  ...[0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e], // ext, XFS, btrfs, F2FS, ZFS, bcachefs
  ...[0x01021994, 0x858458f6, 0x794c7630], // tmpfs, ramfs, overlayfs
]);

/**
 * How what is in a directory is to be looked at: `path` leads to it, `place` is its real path. To look at a place where a
 * server's files are mounted is to ask that server, too.
 */
export async function callsFor(path: string, place: Buffer): Promise<FileCalls> {
  if (process.platform !== 'linux') return callsInThreads;
  const { type } = await fs.statfs(path);
  if (!localTypes.has(type >>> 0)) return callsInThreads;
  return hasMounts(readFileSync('/proc/self/mountinfo', 'latin1'), place) ? callsInThreads : callsAtOnce;
}

/** Whether something is mounted in or below a directory (proc(5), mountinfo: some bytes are in octal); it may say so in vain. */
export function hasMounts(mountinfo: string, directory: Buffer): boolean {
  const octal = (byte: string) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`;
  const place = directory.toString('latin1').replaceAll(/[ \t\n\\]/g, octal);
  return mountinfo.includes(place === '/' ? ' /' : ` ${place}/`);
}
