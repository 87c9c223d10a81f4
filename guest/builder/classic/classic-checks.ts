import { posix } from 'node:path';
import { BuildError } from '../build-error.ts';
import type { CopyInstruction } from '../dockerfile/instruction.ts';
import type { Dockerfile } from '../dockerfile/stages.ts';

/**
 * What the classic builder refuses where BuildKit finds a meaning, or none of its own words: `--from` of stages that
 * are not there yet, and sources above the context, which BuildKit takes for the context's root. Names with variables
 * are left to the steps. Throws BuildError in moby's sentences.
 */
export function checkClassic({ stages }: Dockerfile): void {
  for (const stage of stages)
    for (const instruction of stage.instructions)
      if (instruction.kind === 'copy' || instruction.kind === 'add') checkCopy(instruction, stage.index);
}

function checkCopy({ from, sources, kind }: CopyInstruction, index: number): void {
  if (from !== null) {
    const why = wrongStage(from, index);
    if (why) throw new BuildError(`invalid from flag value ${from}: ${why}`);
    return;
  }
  const outside = sources.find((source) => /^\.\.(?:\/|$)/.test(posix.normalize(source)));
  if (outside !== undefined)
    throw new BuildError(
      `${kind.toUpperCase()} failed: forbidden path outside the build context: ${outside} ()`,
    );
}

function wrongStage(from: string, index: number): string | null {
  if (from === 'scratch') return "'scratch' is a reserved name";
  if (!/^-?\d+$/.test(from)) return null;
  if (Number(from) === index) return 'refers to current build stage';
  return Number(from) > index || Number(from) < 0 ? 'index out of bounds' : null;
}
