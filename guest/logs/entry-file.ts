import { closeSync, createReadStream, fstatSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream';
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

  /** The last `count` entries before `end`, or all. */
  last(count: number, end: number): Generator<LogEntry> {
    for (let bytes = blockBytes; ; bytes *= 4) {
      const from = Math.max(0, end - bytes);
      const block = Buffer.allocUnsafe(end - from);
      const length = readSync(this.#fd, block, 0, block.length, from);
      let start: number | null = length;
      let found = 0;
      while (found < count && start !== null && start > 0) {
        start = this.#format.startBefore(block, start) ?? (from === 0 ? 0 : null);
        found++;
      }
      if (start === null) continue;
      this.position = from + start;
      return this.read(end);
    }
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
