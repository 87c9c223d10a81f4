import { EngineError } from '../../errors.ts';
import { BuildError, RunFailed } from '../build-error.ts';
import type { StageInstruction } from '../dockerfile/instruction.ts';

/** What a step says is wrong gets the lines of its instruction. */
export function withLine(error: unknown, { range }: Pick<StageInstruction, 'range'>): unknown {
  if (!(error instanceof EngineError)) return error;
  if (error instanceof BuildError && error.range) return error;
  if (error instanceof RunFailed) return error;
  return new BuildError(error.message, { cause: error, range });
}
