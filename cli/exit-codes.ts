import { PreCreateError } from '../drivers/errors.ts';
import { Interrupted } from './interruption.ts';

/** docker-machine's: 0, 1 for any error, 3 when a check before creation failed; and the shell's for signals. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  return error instanceof PreCreateError ? 3 : 1;
}
