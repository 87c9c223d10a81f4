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

/** How files are to be looked at that are next to `path`. */
export async function callsFor(path: string): Promise<FileCalls> {
  if (process.platform !== 'linux') return callsInThreads;
  const { type } = await fs.statfs(path);
  return localTypes.has(type >>> 0) ? callsAtOnce : callsInThreads;
}
