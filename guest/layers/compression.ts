import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { InvalidParameter } from '../errors.ts';
import { bunzip2 } from './bunzip2.ts';
import { ByteSource } from './byte-source.ts';
import { deferred, headOf, resumed } from './resumed.ts';
import { isZstd, zstdFrames } from './zstd-frames.ts';

const chunkSize = 256 * 1024;

/** Longest of the magic numbers below. */
const magicBytes = 6;

/**
 * The bytes behind gzip, zstd, xz or bzip2, recognised by their first bytes; anything else as it is. An error of
 * the source or of the decompressor comes out of the iteration.
 */
export function decompressed(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  return deferred(async () => {
    const head = await headOf(iterator, magicBytes);
    return uncompressed(resumed(head, iterator), compressionOf(head));
  });
}

function uncompressed(whole: AsyncIterable<Buffer>, kind: Compression): AsyncIterable<Buffer> {
  if (kind === 'none') return whole;
  if (kind === 'xz') return unxz(whole);
  if (kind === 'bzip2') return bunzip2(whole);
  return kind === 'gzip' ? inflated(whole, createGunzip({ chunkSize }), kind) : unzstd(whole);
}

async function* inflated(
  source: AsyncIterable<Buffer>,
  inflate: Gunzip | ZstdDecompress,
  kind: Compression,
): AsyncGenerator<Buffer> {
  // Errors come out of the loop.
  pipeline(Readable.from(source), inflate, () => {});
  try {
    yield* inflate;
  } catch (error) {
    throw explain(error, kind);
  }
}

async function* unzstd(whole: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = new ByteSource(whole);
  try {
    for await (const frame of zstdFrames(source))
      yield* inflated(frame, createZstdDecompress({ chunkSize }), 'zstd');
  } finally {
    await source.close();
  }
}

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

export function compressionOf(head: Buffer): Compression {
  const hex = head.toString('hex', 0, magicBytes);
  if (hex.startsWith('1f8b')) return 'gzip';
  if (isZstd(head)) return 'zstd';
  if (hex === 'fd377a585a00') return 'xz';
  return hex.startsWith('425a68') ? 'bzip2' : 'none';
}

async function* unxz(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { default: xz } = await import('xz-decompress');
  const stream = new xz.XzReadableStream(Readable.toWeb(Readable.from(source)) as ReadableStream<Uint8Array>);
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      yield Buffer.from(next.value);
  } catch (error) {
    throw explain(error, 'xz');
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** What the decompressors say is the archive's fault; the rest (a client that went away) is passed on. */
function explain(error: unknown, kind: Compression): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  // xz-decompress has no codes.
  const isTheirs = /^Z(?:STD)?_/.test(code) || message.startsWith('get_next_output failed');
  if (!isTheirs) return error;
  return new InvalidParameter(`the ${kind} data is damaged`, { cause: error });
}
