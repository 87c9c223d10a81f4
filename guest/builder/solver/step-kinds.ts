import { formatPlatform, type Platform, plainPlatform } from '../../images/platform.ts';
import type { CopyInstruction, FromInstruction, StageInstruction } from '../dockerfile/instruction.ts';
import { fullName } from './full-name.ts';
import type { PlannedStage } from './plan.ts';

/** What makes or gets files: instructions that BuildKit's clients see. */
export function isShown({ kind }: StageInstruction): boolean {
  return kind === 'run' || kind === 'copy' || kind === 'add' || kind === 'workdir';
}

/** FROM as it is shown: variables replaced where that is of interest. */
export function fromText({ base, stage }: PlannedStage): string {
  if (base.kind === 'image') return `FROM ${fullName(base.reference)}`;
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

/** Whether FROM is a step that is shown: it gets files that no other step has. */
export function isFromShown({ base }: Pick<PlannedStage, 'base'>): boolean {
  return base.kind === 'image' || base.kind === 'context';
}

/** `[build 2/6]`, the number as wide as that of the last; before it the platform, where there are several. */
export function stepLabel(
  stage: string | null,
  {
    platform,
    index,
    total,
  }: { readonly platform: string | null; readonly index: number; readonly total: number },
): string {
  const words = [platform, stage, `${String(index).padStart(String(total).length)}/${total}`];
  return `[${words.filter((word) => word !== null).join(' ')}]`;
}

/**
 * `linux/amd64`, or `linux/amd64->arm64` of a step that runs on the one and knows by its ARGs that it is for the other.
 *
 * @param args that have been declared
 */
export function platformLabel(its: Platform, target: Platform, args: ReadonlySet<string>): string {
  const knows = args.has('TARGETPLATFORM') || args.has('TARGETARCH');
  if (!knows || its.architecture === target.architecture) return formatPlatform(its);
  const knowsVariant = args.has('TARGETPLATFORM') || args.has('TARGETVARIANT');
  const known = plainPlatform({ ...target, variant: knowsVariant ? target.variant : undefined });
  return `${formatPlatform(its)}->${[known.architecture, known.variant].filter(Boolean).join('/')}`;
}
