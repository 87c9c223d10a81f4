import { type Platform, parsePlatform } from '../../images/platform.ts';
import type { BuildRequest } from '../build.ts';
import { BuildError } from '../build-error.ts';
import { suggestion } from '../dockerfile/parse-error.ts';
import type { Dockerfile, Stage } from '../dockerfile/stages.ts';
import { parseMountFlag } from '../exec/mount-flag.ts';
import type { GlobalArgs } from './variables.ts';

/** Where a stage's files, or those of `--from`, come from. */
export type Source =
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'scratch' };

export interface PlannedStage {
  readonly stage: Stage;
  /** `build`, or `stage-1` for one without a name. */
  readonly name: string;
  readonly base: Source;
  readonly platform: Platform;
}

export interface Plan {
  readonly stages: readonly PlannedStage[];
  readonly target: number;
  /** Numbers of the stages that the target needs, itself included, in order. */
  readonly needed: readonly number[];
}

/** Which stages are built, and on what. Throws BuildError. */
export function planBuild(
  { stages }: Dockerfile,
  request: BuildRequest,
  { globals, platform }: { readonly globals: GlobalArgs; readonly platform: Platform },
): Plan {
  const target = targetOf(stages, request.target);
  const planned = stages.map((stage): PlannedStage => {
    const { from, index } = stage;
    const base = globals.expand(from.base, from.range);
    if (base === '')
      throw new BuildError(`base name (${from.base}) should not be blank`, { range: from.range });
    const wanted = from.platform === null ? '' : globals.expand(from.platform, from.range);
    return {
      stage,
      name: from.name ?? `stage-${index}`,
      base: base === 'scratch' ? { kind: 'scratch' } : sourceOf(base, stages.slice(0, index), request),
      platform: wanted === '' ? platform : parsePlatform(wanted),
    };
  });
  const needed = new Set<number>();
  const need = (index: number) => {
    if (needed.has(index)) return;
    needed.add(index);
    const { base, stage } = planned[index]!;
    for (const source of [base, ...sourcesOf(stage, stages, request)])
      if (source.kind === 'stage') need(source.index);
  };
  need(target);
  return { stages: planned, target, needed: [...needed].sort((a, b) => a - b) };
}

/** A name in FROM or `--from`, where only the stages before can be meant. Numbers are for `--from`. */
export function sourceOf(
  name: string,
  before: readonly Stage[],
  request: Pick<BuildRequest, 'namedContexts'>,
  { numbers = false }: { readonly numbers?: boolean } = {},
): Source {
  const named = request.namedContexts.get(name) ?? request.namedContexts.get(name.toLowerCase());
  const stage = before.findLast(({ from }) => from.name === name.toLowerCase());
  if (named?.kind === 'image') return { kind: 'image', reference: named.reference };
  if (named) return { kind: 'context', name };
  if (stage) return { kind: 'stage', index: stage.index };
  if (numbers && /^\d+$/.test(name)) {
    if (before[Number(name)]) return { kind: 'stage', index: Number(name) };
    throw new BuildError(`invalid from flag value ${name}: invalid stage index ${name}`);
  }
  return { kind: 'image', reference: name };
}

function sourcesOf(stage: Stage, stages: readonly Stage[], request: BuildRequest): Source[] {
  const before = stages.slice(0, stage.index);
  return stage.instructions.flatMap((instruction) => {
    const names =
      instruction.kind === 'copy'
        ? [instruction.from]
        : instruction.kind === 'run'
          ? instruction.mounts.map(fromOf)
          : [];
    return names.flatMap((name) => (name ? [sourceOf(name, before, request, { numbers: true })] : []));
  });
}

/** What is wrong with a mount is told when its step comes. */
function fromOf(mount: string): string | null {
  try {
    const parsed = parseMountFlag(mount);
    return 'from' in parsed ? parsed.from : null;
  } catch {
    return null;
  }
}

function targetOf(stages: readonly Stage[], wanted: string | undefined): number {
  if (!wanted) return stages.length - 1;
  const named = stages.find(({ from }) => from.name === wanted.toLowerCase());
  if (named) return named.index;
  if (/^\d+$/.test(wanted) && stages[Number(wanted)]) return Number(wanted);
  const names = stages.flatMap(({ from }) => from.name ?? []);
  throw new BuildError(`target stage "${wanted}" could not be found${suggestion(wanted, names)}`);
}
