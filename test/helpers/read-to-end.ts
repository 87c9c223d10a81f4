import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** What comes until the other side ends its half. Unlike stream/consumers in Node 20, it leaves our half open. */
export async function readToEnd(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks).toString();
}
