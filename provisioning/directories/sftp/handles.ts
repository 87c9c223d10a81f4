import { randomInt } from 'node:crypto';
import type { Dir } from 'node:fs';
import { close as closeWithCallback } from 'node:fs';
import { promisify } from 'node:util';
import type { Attributes } from './attributes.ts';
import { Refusal } from './errors.ts';
import type { HeldDirectory } from './held-directories.ts';
import { status } from './protocol.ts';
import type { OpenFile } from './shared-tree.ts';

const close = promisify(closeWithCallback);

/** A listing under way. Without a directory of the file system its entries are all in `rest`. */
export interface OpenDirectory {
  readonly held: HeldDirectory | null;
  readonly listing: Dir | null;
  /** Entries that were read and not told yet. */
  rest: ListedEntry[];
  /** Settles when the reading of it that came last is done. */
  before: Promise<unknown>;
}

export interface ListedEntry {
  readonly name: Buffer;
  readonly stats: Attributes;
}

/** With the path that the client opened it by. */
export interface NamedFile extends OpenFile {
  readonly path: Buffer;
}

/** The same. */
export interface NamedDirectory extends OpenDirectory {
  readonly path: Buffer;
}

type Handle = ({ readonly kind: 'file' } & NamedFile) | ({ readonly kind: 'directory' } & NamedDirectory);

/** Enough for builds that open everything at once, and no more than a process may have on any system. */
const maxHandles = 4096;

/** What one client has open. */
export class Handles {
  readonly #handles = new Map<number, Handle>();
  /** Handles of an earlier connection mean nothing in this one. */
  #next = randomInt(2 ** 31);

  /** Throws Refusal when there are too many, before anything is opened. */
  assertRoom(): void {
    if (this.#handles.size >= maxHandles) throw new Refusal(status.failure, 'too many open files');
  }

  add(handle: Handle): Buffer {
    this.#next = (this.#next + 1) >>> 0;
    this.#handles.set(this.#next, handle);
    const name = Buffer.alloc(4);
    name.writeUInt32BE(this.#next);
    return name;
  }

  file(name: Buffer): NamedFile {
    const handle = this.#find(name);
    if (handle.kind !== 'file') throw new Refusal(status.failure, 'not a file');
    return handle;
  }

  directory(name: Buffer): NamedDirectory {
    const handle = this.#find(name);
    if (handle.kind !== 'directory') throw new Refusal(status.failure, 'not a directory');
    return handle;
  }

  /** Throws what close(2) says: it is where some file systems tell of a full disk. */
  async close(name: Buffer): Promise<void> {
    const handle = this.#find(name);
    this.#handles.delete(name.readUInt32BE(0));
    await closeHandle(handle);
  }

  async closeAll(): Promise<void> {
    const all = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.allSettled(all.map(closeHandle));
  }

  #find(name: Buffer): Handle {
    const handle = name.length === 4 ? this.#handles.get(name.readUInt32BE(0)) : undefined;
    if (handle === undefined) throw new Refusal(status.failure, 'no such handle');
    return handle;
  }
}

async function closeHandle(handle: Handle): Promise<void> {
  if (handle.kind === 'file')
    // What was written may be taken to the disk now.
    return await (handle.writable ? close(handle.descriptor) : handle.calls.close(handle.descriptor));
  const { held, listing } = handle;
  held?.release();
  if (held !== null && listing !== null) await held.calls.closedir(listing);
}
