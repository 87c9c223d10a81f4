import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted } from './request.ts';

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  /** Waits before the second, third… try, in milliseconds. */
  readonly delaysMs?: readonly number[];
}

/** Repeats `attempt` while it fails with Interrupted; other errors, and the last one, are thrown. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { signal, delaysMs = [500, 2000, 8000] } = options;
  for (const delay of delaysMs) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      await sleep(delay, undefined, { signal });
    }
  }
  return attempt();
}
