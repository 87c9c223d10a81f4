import { InvalidParameter } from '../errors.ts';
import { parsePax } from './pax.ts';
import type { TarEntry } from './tar-entry.ts';
import { checksum, readNumber, readString, signedChecksum } from './tar-fields.ts';
import { blockSize, decodeHeader, type HeaderExtensions } from './tar-header.ts';

/**
 * What a tar is made of, in order. `framing` is every byte that is not payload of a file (headers, padding,
 * end marker and what follows it), so framing and payload together are the whole archive. An `entry` is
 * followed by its payload in pieces and one `done`.
 */
export type TarEvent =
  | { readonly kind: 'framing'; readonly bytes: Buffer }
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'payload'; readonly bytes: Buffer }
  | { readonly kind: 'done' };

/** Long names and extended headers past this size are refused; attributes hold at most 64 KiB each. */
const maxExtensionBytes = 1024 * 1024;

const done: TarEvent = { kind: 'done' };
const none: ReadonlyMap<string, Buffer> = new Map();

/**
 * Parses a tar pushed in pieces of any size: ustar, pax (local and global), GNU long names, base-256
 * numbers. Synchronous, so that whoever reads the stream has backpressure by handling events before the
 * next piece. Bytes in events are views of the pieces pushed. Throws InvalidParameter on malformed input.
 */
export class TarParser {
  readonly #partial = Buffer.alloc(blockSize);
  #partialLength = 0;
  #state: 'header' | 'payload' | 'padding' | 'extension' | 'ended' = 'header';
  #zeroBlocks = 0;
  /** Bytes left of the payload, padding or extension. */
  #left = 0;
  #padding = 0;
  #extensionType = '';
  #extension: Buffer[] = [];
  #longPath: string | undefined;
  #longLink: string | undefined;
  #local: ReadonlyMap<string, Buffer> = none;
  #global: ReadonlyMap<string, Buffer> = none;

  *push(chunk: Buffer): Generator<TarEvent> {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#state === 'ended') {
        yield { kind: 'framing', bytes: chunk.subarray(offset) };
        return;
      }
      if (this.#state === 'header') {
        const taken = Math.min(blockSize - this.#partialLength, chunk.length - offset);
        const bytes = chunk.subarray(offset, offset + taken);
        offset += taken;
        yield { kind: 'framing', bytes };
        const block = this.#collect(bytes);
        if (block) yield* this.#header(block);
        continue;
      }
      const taken = Math.min(this.#left, chunk.length - offset);
      const bytes = chunk.subarray(offset, offset + taken);
      offset += taken;
      this.#left -= taken;
      yield { kind: this.#state === 'payload' ? 'payload' : 'framing', bytes };
      if (this.#state === 'extension') this.#extension.push(Buffer.from(bytes));
      if (this.#left === 0) yield* this.#sectionEnd();
    }
  }

  /**
   * To be called after the last piece. A tar may end without its end marker, and without the last entry's padding, as
   * from the docker CLI (`docker build -f - DIRECTORY`), but not inside an entry.
   */
  finish(): void {
    if (this.#state === 'ended') return;
    const isWhole = this.#state === 'padding' || (this.#state === 'header' && this.#partialLength === 0);
    if (!isWhole || this.#hasExtensions()) throw new InvalidParameter('malformed tar: unexpected end');
  }

  /** A whole block: straight from the piece where it holds one, else gathered. */
  #collect(bytes: Buffer): Buffer | null {
    if (bytes.length === blockSize) return bytes;
    bytes.copy(this.#partial, this.#partialLength);
    this.#partialLength += bytes.length;
    if (this.#partialLength < blockSize) return null;
    this.#partialLength = 0;
    return this.#partial;
  }

  *#header(block: Buffer): Generator<TarEvent> {
    if (isZero(block)) {
      if (this.#hasExtensions()) throw new InvalidParameter('malformed tar: unexpected end');
      if (++this.#zeroBlocks === 2) this.#state = 'ended';
      return;
    }
    if (this.#zeroBlocks > 0) throw new InvalidParameter('malformed tar: a lone zero block inside');
    const sum = readNumber(block, 148, 8);
    if (sum !== checksum(block) && sum !== signedChecksum(block)) {
      throw new InvalidParameter('malformed tar: wrong header checksum; is this a tar archive?');
    }
    const flag = block.toString('latin1', 156, 157);
    if ('xgLK'.includes(flag)) {
      this.#startExtension(flag, readNumber(block, 124, 12));
      return;
    }
    const entry = decodeHeader(block, this.#extensions());
    this.#longPath = this.#longLink = undefined;
    this.#local = none;
    yield { kind: 'entry', entry };
    if (entry.size > 0) this.#start('payload', entry.size);
    else yield done;
  }

  #startExtension(flag: string, size: number): void {
    if (size < 0 || size > maxExtensionBytes) {
      throw new InvalidParameter(`malformed tar: an extended header of ${size} bytes`);
    }
    this.#extensionType = flag;
    this.#extension = [];
    if (size > 0) this.#start('extension', size);
    else this.#endExtension();
  }

  #start(state: 'payload' | 'extension', size: number): void {
    this.#state = state;
    this.#left = size;
    this.#padding = (blockSize - (size % blockSize)) % blockSize;
  }

  *#sectionEnd(): Generator<TarEvent> {
    if (this.#state === 'payload') yield done;
    if (this.#state === 'extension') this.#endExtension();
    this.#state = this.#state === 'padding' || this.#padding === 0 ? 'header' : 'padding';
    this.#left = this.#padding;
  }

  #endExtension(): void {
    const body = Buffer.concat(this.#extension);
    this.#extension = [];
    if (this.#extensionType === 'L') this.#longPath = readString(body, 0, body.length);
    else if (this.#extensionType === 'K') this.#longLink = readString(body, 0, body.length);
    else if (this.#extensionType === 'x') this.#local = parsePax(body);
    else this.#global = merge(this.#global, parsePax(body));
  }

  #hasExtensions(): boolean {
    return this.#longPath !== undefined || this.#longLink !== undefined || this.#local.size > 0;
  }

  #extensions(): HeaderExtensions {
    const records = this.#global.size === 0 ? this.#local : merge(this.#global, this.#local);
    // An empty value takes a record back.
    const empty = [...records].some(([, value]) => value.length === 0);
    return {
      longPath: this.#longPath,
      longLink: this.#longLink,
      records: empty
        ? new Map([...records].filter(([key, value]) => value.length > 0 || isXattr(key)))
        : records,
    };
  }
}

function merge(base: ReadonlyMap<string, Buffer>, over: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const merged = new Map([...base, ...over]);
  let bytes = 0;
  for (const [key, value] of merged) bytes += key.length + value.length;
  if (bytes > maxExtensionBytes * 2) throw new InvalidParameter('malformed tar: too many global records');
  return merged;
}

function isXattr(key: string): boolean {
  return key.startsWith('SCHILY.xattr.');
}

const zeroBlock = Buffer.alloc(blockSize);

function isZero(block: Buffer): boolean {
  return block[0] === 0 && block.equals(zeroBlock);
}
