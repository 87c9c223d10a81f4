import type { StageInstruction } from '../dockerfile/instruction.ts';
import type { StageScope } from '../solver/variables.ts';

/** Names that an instruction refers to and that nothing has set. RUN's own text is its shell's. */
export function unsetVariables(instruction: StageInstruction, scope: StageScope): ReadonlySet<string> {
  const unset = new Set<string>();
  const onUnset = (name: string) => unset.add(name);
  const look = (word: string, document = false) => {
    try {
      scope.expand(word, instruction.range, { onUnset, ...(document && { document, mark: '\\' }) });
    } catch {
      // It is told of when it is built.
    }
  };
  for (const word of wordsOf(instruction)) look(word);
  if (instruction.kind === 'copy' || instruction.kind === 'add')
    for (const { raw, expand } of instruction.heredocs) if (expand) look(raw, true);
  return unset;
}

/** Words in which variables are expanded. */
function wordsOf(instruction: StageInstruction): readonly string[] {
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return instruction.pairs.flat();
    case 'arg':
      return instruction.args.flatMap(({ value }) => value ?? []);
    case 'copy':
    case 'add': {
      const { chown, chmod, checksum, sources, destination } = instruction;
      const files = sources.filter((source) => !source.startsWith('<<'));
      return [...[chown, chmod, checksum].filter((word) => word !== null), ...files, destination];
    }
    case 'run':
      return instruction.mounts;
    case 'workdir':
    case 'user':
    case 'stopsignal':
      return [instruction.value];
    case 'expose':
    case 'volume':
      return instruction.words;
    default:
      return [];
  }
}
