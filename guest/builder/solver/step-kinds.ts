import type { CopyInstruction, FromInstruction, StageInstruction } from '../dockerfile/instruction.ts';
import type { PlannedStage } from './plan.ts';

/** What makes or gets files: instructions that BuildKit's clients see. */
export function isShown({ kind }: StageInstruction): boolean {
  return kind === 'run' || kind === 'copy' || kind === 'add' || kind === 'workdir';
}

/** FROM as it is shown: variables replaced where that is of interest. */
export function fromText({ base, stage }: PlannedStage): string {
  if (base.kind === 'image') return `FROM ${base.reference}`;
  return base.kind === 'scratch' ? 'FROM scratch' : stage.from.text;
}

/** What FROM a context of `--build-context` does: its files are the base. */
export function contextCopy(from: FromInstruction, name: string): CopyInstruction {
  return {
    ...from,
    kind: 'copy',
    sources: ['.'],
    heredocs: [],
    destination: '/',
    from: name,
    chown: null,
    chmod: null,
    link: false,
    parents: false,
    excludes: [],
    checksum: null,
    keepGitDir: false,
    unpack: null,
  };
}

/** `[build 2/6]`, the number as wide as that of the last; a lone stage without a name is not named. */
export function stepLabel(
  { name, stage }: Pick<PlannedStage, 'name' | 'stage'>,
  { index, total, isOnly }: { readonly index: number; readonly total: number; readonly isOnly: boolean },
): string {
  const stageName = isOnly && stage.from.name === null ? '' : `${name} `;
  return `[${stageName}${String(index).padStart(String(total).length)}/${total}]`;
}
