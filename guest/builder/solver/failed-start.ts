import { EngineError } from '../../errors.ts';
import { BuildError } from '../build-error.ts';
import type { RunInstruction } from '../dockerfile/instruction.ts';

/** BuildKit says of a program that it failed, where the classic builder has the engine's sentence. */
export function failedStart(
  error: unknown,
  options: {
    readonly isClassic: boolean;
    readonly args: readonly string[];
    readonly range: RunInstruction['range'];
  },
): unknown {
  const { isClassic, args, range } = options;
  if (isClassic || !(error instanceof EngineError)) return error;
  const cause = error.message.replace(/^.*: unable to start container process: /, '');
  return new BuildError(`process "${args.join(' ')}" did not complete successfully: ${cause}`, {
    cause: error,
    range,
  });
}
