import { BuildError } from '../build-error.ts';
import type { Directives } from './directives.ts';
import { instruct } from './instruct.ts';
import type { ArgInstruction, FromInstruction, StageInstruction } from './instruction.ts';
import { parseNodes } from './nodes.ts';
import { parseError } from './parse-error.ts';

export interface Stage {
  readonly index: number;
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}

export interface Dockerfile {
  readonly directives: Directives;
  /** ARG before the first FROM: only FROM lines see them. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}

/** Text to stages. Throws BuildError with docker's words for what is wrong, and where. */
export function parseDockerfile(text: string): Dockerfile {
  const { directives, nodes } = parseNodes(text);
  const globalArgs: ArgInstruction[] = [];
  const stages: { index: number; from: FromInstruction; instructions: StageInstruction[] }[] = [];
  for (const node of nodes) {
    const instruction = instruct(node, directives.escape);
    const stage = stages.at(-1);
    if (instruction.kind === 'from')
      stages.push({ index: stages.length, from: instruction, instructions: [] });
    else if (stage) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArgs.push(instruction);
    else throw parseError(instruction.range, 'no build stage in current context');
  }
  if (stages.length === 0) throw new BuildError('dockerfile contains no stages to build');
  return { directives, globalArgs, stages };
}

/** An ONBUILD trigger of a base image. Throws BuildError. */
export function parseTrigger(
  trigger: string,
  mark: string,
  range: FromInstruction['range'],
): StageInstruction {
  const { nodes } = parseNodes(trigger);
  const instruction = instruct({ ...nodes[0]!, range }, mark);
  if (instruction.kind === 'from' || instruction.kind === 'onbuild' || instruction.kind === 'maintainer')
    throw parseError(range, `${instruction.keyword} isn't allowed as an ONBUILD trigger`);
  return instruction;
}
