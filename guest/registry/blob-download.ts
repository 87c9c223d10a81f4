import type { RemoteDescriptor } from './documents.ts';
import { Unreachable } from './errors.ts';
import type { BlobBody, ImageSource } from './repository.ts';
import { isTransient, maxAttempts, pause, type RetryOptions } from './retry.ts';
import { patienceMs } from './transport.ts';

/** So much of it is a new start: a bad line may break any number of times as long as it carries something. */
const progressBytes = 1024 * 1024;

/**
 * The bytes of a blob, in order and each once, however often the connection breaks: what is missing is asked
 * for again. Nothing is verified here; more bytes than the descriptor says are passed on for who verifies.
 */
export async function* downloadBlob(
  repository: ImageSource,
  { digest, size }: Pick<RemoteDescriptor, 'digest' | 'size'>,
  options: RetryOptions,
): AsyncGenerator<Buffer> {
  const { signal } = options;
  let have = 0;
  let failures = 0;
  let haveAtFailure = 0;
  for (;;) {
    try {
      const { body, begins } = await repository.blob(digest, have, signal);
      let skip = have - begins;
      for await (const bytes of patiently(body)) {
        const fresh = skip === 0 ? bytes : bytes.subarray(Math.min(skip, bytes.length));
        skip -= bytes.length - fresh.length;
        if (fresh.length === 0) continue;
        have += fresh.length;
        yield fresh;
      }
      if (have >= size) return;
      throw new Unreachable(`blob ${digest} broke off after ${have} of ${size} bytes`);
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      failures = have - haveAtFailure >= progressBytes ? 1 : failures + 1;
      haveAtFailure = have;
      if (failures >= maxAttempts) throw error;
      await pause(failures, options);
    }
  }
}

/** What breaks a body off, or lets it hang, is an {@link Unreachable}. Leaving the loop cuts the connection. */
async function* patiently(body: BlobBody): AsyncGenerator<Buffer> {
  const iterator = body[Symbol.asyncIterator]();
  let isWaiting = false;
  const watch = setTimeout(() => {
    // Who unpacks the bytes may take any time.
    if (isWaiting) body.destroy(new Error('no more bytes in time'));
    else watch.refresh();
  }, patienceMs);
  try {
    for (;;) {
      watch.refresh();
      isWaiting = true;
      const next = await iterator.next().catch((error: Error) => {
        throw new Unreachable(`the connection broke off: ${error.message}`, { cause: error });
      });
      if (next.done) return;
      isWaiting = false;
      yield next.value;
    }
  } finally {
    clearTimeout(watch);
    body.destroy();
  }
}
