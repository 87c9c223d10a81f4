import { closeSync, createReadStream, fstatSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import type { LogEntry, LogFormat } from './log-entry.ts';

const blockBytes = 256 * 1024;

/** Reads a log's file while it may still grow: each time on from where it was. */
export class EntryFile implements Disposable {
  readonly #fd: number;
  readonly #format: LogFormat;
  #closed = false;
  /** Up to where it was read: the end of an entry. */
  position = 0;

  /** The descriptor is closed with it. */
  constructor(fd: number, format: LogFormat) {
    this.#fd = fd;
    this.#format = format;
  }

  get size(): number {
    return fstatSync(this.#fd).size;
  }

  /** Entries that end at `end` or before. */
  *read(end = Number.POSITIVE_INFINITY): Generator<LogEntry> {
    let wanted = blockBytes;
    while (!this.#closed) {
      const available = Math.min(end, this.size) - this.position;
      if (available <= 0) return;
      // Its own block each time: who reads may hold what was read.
      const block = Buffer.allocUnsafe(Math.min(wanted, available));
      const length = readSync(this.#fd, block, 0, block.length, this.position);
      const { entries, bytes } = this.#format.decode(block.subarray(0, length));
      this.position += bytes;
      yield* entries;
      if (bytes === 0 && length === available) return;
      // An entry may be larger than a block.
      wanted = bytes === 0 ? 2 * wanted : blockBytes;
    }
  }

  /** To where the last `count` entries before `end` begin, or to the beginning. Resolves with how many there are. */
  async seekLast(count: number, end: number): Promise<number> {
    let found = 0;
    let start = end;
    let wanted = blockBytes;
    while (found < count && start > 0 && !this.#closed) {
      const from = Math.max(0, start - wanted);
      const block = Buffer.allocUnsafe(start - from);
      readSync(this.#fd, block, 0, block.length, from);
      const blockEnd = start;
      while (found < count && start > from) {
        const before = this.#format.startBefore(block, start - from) ?? (from === 0 ? 0 : null);
        if (before === null) break;
        start = from + before;
        found++;
      }
      // An entry may be larger than a block.
      wanted = start === blockEnd ? 2 * wanted : blockBytes;
      await setImmediate();
    }
    this.position = start;
    return found;
  }

  [Symbol.dispose](): void {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }
}

/** A file of a log that is compressed; to be read once. */
export class CompressedFile implements Disposable {
  readonly #fd: number;
  readonly #format: LogFormat;
  #owned = true;

  constructor(fd: number, format: LogFormat) {
    this.#fd = fd;
    this.#format = format;
  }

  async *read(): AsyncGenerator<LogEntry> {
    let rest = Buffer.alloc(0);
    this.#owned = false;
    // An error is thrown below.
    const plain = pipeline(createReadStream('', { fd: this.#fd, start: 0 }), createGunzip(), () => {});
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      const data = Buffer.concat([rest, chunk]);
      const { entries, bytes } = this.#format.decode(data);
      rest = data.subarray(bytes);
      yield* entries;
    }
  }

  [Symbol.dispose](): void {
    if (this.#owned) closeSync(this.#fd);
    this.#owned = false;
  }
}
