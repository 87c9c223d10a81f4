import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Resolves when a stream takes more, or takes nothing any more. No listener stays. */
export async function drained(stream: Writable): Promise<void> {
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]).catch(() => {});
  done.abort();
}
