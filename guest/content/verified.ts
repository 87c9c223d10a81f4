import { createHash } from 'node:crypto';
import type { Digest } from '../digest.ts';
import { InvalidParameter } from '../errors.ts';

/**
 * Passes bytes on as they come and judges them at the end: the consumer must not keep what it made of them
 * unless the iteration ends without an error. Throws InvalidParameter when they are not the bytes of
 * `digest`, and at once when they are more than `maxBytes`.
 */
export async function* verified(
  source: AsyncIterable<Buffer>,
  { digest, maxBytes }: { readonly digest: Digest; readonly maxBytes: number },
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const bytes of source) {
    size += bytes.length;
    if (size > maxBytes) throw new InvalidParameter(`blob ${digest} is larger than ${maxBytes} bytes`);
    hash.update(bytes);
    yield bytes;
  }
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== digest) throw new InvalidParameter(`blob ${digest} has the bytes of ${actual}`);
}
