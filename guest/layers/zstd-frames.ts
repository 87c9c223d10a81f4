import { InvalidParameter } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * Zstandard data is any number of frames one after the other (RFC 8878, section 3); Node's decompressor ends
 * with the first. Layers made for lazy pulling have a frame a file and tables in skippable frames.
 */
const frameMagic = 0xfd2fb528;
const isSkippable = (magic: number) => magic >>> 4 === 0x184d2a5;

/** Whether data that begins so is zstd. */
export function isZstd(head: Buffer): boolean {
  if (head.length < 4) return false;
  const magic = head.readUInt32LE(0);
  return magic === frameMagic || isSkippable(magic);
}

/**
 * Each frame with data, to be read to its end before the next one is asked for. Throws InvalidParameter where
 * something else is.
 */
export async function* zstdFrames(source: ByteSource): AsyncGenerator<AsyncGenerator<Buffer>> {
  for (;;) {
    const head = await source.take(4);
    if (head.length === 0) return;
    if (!isZstd(head)) throw damaged();
    if (head.readUInt32LE(0) === frameMagic) yield frame(source, head);
    else for await (const _ of source.pass((await exactly(source, 4)).readUInt32LE(0)));
  }
}

/** Section 3.1.1: header, blocks until the last, checksum. */
async function* frame(source: ByteSource, magic: Buffer): AsyncGenerator<Buffer> {
  const descriptor = await exactly(source, 1);
  const bits = descriptor[0]!;
  const isSingleSegment = (bits >> 5) & 1;
  const sizeBytes = [isSingleSegment, 2, 4, 8][bits >> 6]!;
  const dictionaryBytes = [0, 1, 2, 4][bits & 3]!;
  yield Buffer.concat([
    magic,
    descriptor,
    await exactly(source, 1 - isSingleSegment + dictionaryBytes + sizeBytes),
  ]);
  for (let last = false; !last; ) {
    const block = await exactly(source, 3);
    const header = block.readUIntLE(0, 3);
    yield block;
    last = (header & 1) === 1;
    // A run of one byte (type 1) has one, whatever its length.
    yield* source.pass(((header >> 1) & 3) === 1 ? 1 : header >> 3);
  }
  if (bits & 4) yield await exactly(source, 4);
}

async function exactly(source: ByteSource, length: number): Promise<Buffer> {
  const bytes = await source.take(length);
  if (bytes.length < length) throw damaged();
  return bytes;
}

function damaged(): InvalidParameter {
  return new InvalidParameter('the zstd data is damaged');
}
