import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { pipeline as piped } from 'node:stream/promises';
import { createGunzip, createGzip, type Gzip } from 'node:zlib';
import { Internal } from '../errors.ts';

/**
 * `tar-split.gz`: all of a layer's tar that is not payload of files, so that the exact archive can be made
 * again from the layer's directory without keeping the data twice.
 *
 * A gzip of: one version byte, then records until the end.
 *
 *   0x01 LENGTH bytes        framing, to be copied as it is
 *   0x02 SIZE LENGTH path    payload of SIZE bytes: the content of the file at path, relative to `fs/`;
 *                            or, where the tar itself replaced that file later, of `replaced/N`, N being
 *                            the number of payload records before this one
 *
 * Numbers are LEB128. Paths are bytes.
 */
export type SplitRecord =
  | { readonly kind: 'framing'; readonly bytes: Buffer }
  | { readonly kind: 'payload'; readonly size: number; readonly path: string };

const version = 1;
const flushBytes = 64 * 1024;

/** Gathers records and writes them out in pieces. */
export class TarSplitWriter {
  readonly #gzip: Gzip;
  readonly #closed: Promise<void>;
  #pending: Buffer[] = [Buffer.of(version)];
  #pendingBytes = 0;
  #framing: Buffer[] = [];
  #framingBytes = 0;

  constructor(path: string) {
    // Level 3: headers are so alike that higher levels save nothing.
    this.#gzip = createGzip({ level: 3, chunkSize: flushBytes });
    this.#closed = piped(this.#gzip, createWriteStream(path, { mode: 0o600 }));
    // Whoever awaits end() or flush() hears of it; until then it must not count as unhandled.
    this.#closed.catch(() => {});
  }

  /** Copies the bytes. */
  framing(bytes: Buffer): void {
    this.#framing.push(Buffer.from(bytes));
    this.#framingBytes += bytes.length;
  }

  payload(size: number, path: string): void {
    this.#endFraming();
    this.#push(Buffer.concat([Buffer.of(2), leb128(size), leb128(path.length), Buffer.from(path, 'latin1')]));
  }

  /** To be awaited now and then: hands gathered records to the compressor and waits while it is full. */
  async flush(): Promise<void> {
    if (this.#pendingBytes + this.#framingBytes < flushBytes) return;
    this.#endFraming();
    if (!this.#write()) await Promise.race([once(this.#gzip, 'drain'), this.#closed]);
  }

  /** Resolves when the file is complete (not yet synced). */
  async end(): Promise<void> {
    this.#endFraming();
    this.#write();
    this.#gzip.end();
    await this.#closed;
  }

  /** Closes the file without finishing it. */
  async abort(): Promise<void> {
    this.#gzip.destroy();
    await this.#closed.catch(() => {});
  }

  #endFraming(): void {
    if (this.#framingBytes === 0) return;
    this.#push(Buffer.concat([Buffer.of(1), leb128(this.#framingBytes), ...this.#framing]));
    this.#framing = [];
    this.#framingBytes = 0;
  }

  #push(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #write(): boolean {
    const ready = this.#gzip.write(Buffer.concat(this.#pending));
    this.#pending = [];
    this.#pendingBytes = 0;
    return ready;
  }
}

/** Reads the records back. Throws Internal when the file is damaged. */
export async function* readTarSplit(path: string): AsyncGenerator<SplitRecord> {
  const gunzip = createGunzip({ chunkSize: flushBytes });
  // An error of either comes out of the loop below.
  pipeline(createReadStream(path), gunzip, () => {});
  let rest: Buffer = Buffer.alloc(0);
  let first = true;
  for await (const chunk of gunzip) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (first && rest[0] !== version) throw new Internal(`"${path}" has an unknown version`);
    let at = first ? 1 : 0;
    first = false;
    for (let next = decodeRecord(rest, at); next; next = decodeRecord(rest, at)) {
      at = next.end;
      yield next.record;
    }
    rest = rest.subarray(at);
  }
  if (first || rest.length > 0) throw new Internal(`"${path}" is damaged`);
}

/** The record at an offset, or null when the bytes do not hold it whole yet. */
function decodeRecord(bytes: Buffer, at: number): { record: SplitRecord; end: number } | null {
  const kind = bytes[at];
  const first = kind === undefined ? null : readLeb128(bytes, at + 1);
  if (!first) return null;
  if (kind === 1) {
    const end = first.end + first.value;
    if (end > bytes.length) return null;
    return { record: { kind: 'framing', bytes: bytes.subarray(first.end, end) }, end };
  }
  if (kind !== 2) throw new Internal('a tar-split file is damaged');
  const length = readLeb128(bytes, first.end);
  if (!length || length.end + length.value > bytes.length) return null;
  const end = length.end + length.value;
  const path = bytes.toString('latin1', length.end, end);
  return { record: { kind: 'payload', size: first.value, path }, end };
}

function leb128(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) {
      bytes.push(left);
      return Buffer.from(bytes);
    }
    bytes.push((left % 128) + 128);
  }
}

function readLeb128(bytes: Buffer, at: number): { value: number; end: number } | null {
  let value = 0;
  for (let i = at, unit = 1; i < bytes.length; i++, unit *= 128) {
    value += (bytes[i]! & 127) * unit;
    if (bytes[i]! < 128) return { value, end: i + 1 };
  }
  return null;
}
