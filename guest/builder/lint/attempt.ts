import { EngineError } from '../../errors.ts';

/** Null for what is wrong in what the user wrote: that is told when it is built. */
export function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}
