import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Content } from './file-tree.ts';

export function contentSize(content: Content): number {
  return content instanceof Uint8Array ? content.length : content.size;
}

/** Bytes `start` to `end` (excluded). Throws when the file has become shorter. */
export async function* readRange(content: Content, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (end <= start) return;
  if (content instanceof Uint8Array) {
    yield content.subarray(start, end);
    return;
  }
  let done = start;
  const stream = createReadStream(content.path, { start, end: end - 1, highWaterMark: 1 << 20 });
  for await (const chunk of stream) {
    done += chunk.length;
    yield chunk;
  }
  if (done !== end) throw new Error(`"${content.path}" changed while it was read`);
}

/** For small contents. */
export async function readAll(content: Content): Promise<Buffer> {
  if (content instanceof Uint8Array) return Buffer.from(content);
  const parts: Uint8Array[] = [];
  for await (const part of readRange(content, 0, content.size)) parts.push(part);
  return Buffer.concat(parts);
}

/** Random access, without reading the rest. */
export async function withReader<T>(
  content: Content,
  use: (read: (offset: number, length: number) => Promise<Buffer>) => Promise<T>,
): Promise<T> {
  if (content instanceof Uint8Array) {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
    return use(async (offset, length) => bytes.subarray(offset, offset + length));
  }
  const handle = await open(content.path);
  try {
    return await use(async (offset, length) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    });
  } finally {
    await handle.close();
  }
}
