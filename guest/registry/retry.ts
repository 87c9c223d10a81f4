import { setTimeout } from 'node:timers/promises';
import { Refused, Unreachable } from './errors.ts';

/** As many as dockerd makes. */
export const maxAttempts = 5;

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Before the second attempt; doubled before each further one. */
  readonly firstDelayMs: number;
  /** Told before each pause. */
  readonly onRetry?: (delayMs: number) => void;
}

/** Whether the same request may do better later: nobody answered, too many ask, the server is in trouble. */
export function isTransient(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return error instanceof Refused && (error.status >= 500 || error.status === 429 || error.status === 408);
}

/** Does `work` again, after growing pauses, while what it throws is transient. */
export async function retrying<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= maxAttempts || !isTransient(error) || options.signal.aborted) throw error;
      await pause(attempt, options);
    }
  }
}

/** @param failures so far */
export async function pause(
  failures: number,
  { signal, firstDelayMs, onRetry }: RetryOptions,
): Promise<void> {
  const delayMs = firstDelayMs * 2 ** (failures - 1);
  onRetry?.(delayMs);
  await setTimeout(delayMs, undefined, { signal });
}
