import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** By the file name's ending. Throws on one that is not known. */
export async function decompress(name: string, input: Readable): Promise<AsyncIterable<Uint8Array>> {
  if (name.endsWith('.xz')) return unxz(input);
  if (name.endsWith('.gz')) return piped(input, createGunzip({ chunkSize: 256 * 1024 }));
  if (name.endsWith('.tar')) return input;
  throw new Error(`"${name}" is compressed in a way that is not supported; xz and gzip are`);
}

export async function unxz(input: Readable): Promise<AsyncIterable<Uint8Array>> {
  // CommonJS without names that Node can see.
  const { default: xz } = await import('xz-decompress');
  const output = new xz.XzReadableStream(Readable.toWeb(input) as ReadableStream<Uint8Array>);
  return Readable.fromWeb(output as Parameters<typeof Readable.fromWeb>[0]);
}

function piped(input: Readable, transform: NodeJS.ReadWriteStream & Readable): Readable {
  input.on('error', (error) => transform.destroy(error));
  input.pipe(transform);
  return transform;
}
