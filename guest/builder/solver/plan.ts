import { formatPlatform, type Platform, parsePlatform } from '../../images/platform.ts';
import type { BuildRequest, NamedImage } from '../build.ts';
import { BuildError } from '../build-error.ts';
import { suggestion } from '../dockerfile/parse-error.ts';
import type { Dockerfile, Stage } from '../dockerfile/stages.ts';
import { parseMountFlag } from '../exec/mount-flag.ts';
import type { LineRange } from '../line-range.ts';
import type { GlobalArgs } from './variables.ts';

/** Where a stage's files, or those of `--from`, come from. */
export type Source =
  | { readonly kind: 'stage'; readonly index: number }
  | NamedImage
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
  const planned: PlannedStage[] = [];
  for (const stage of stages) {
    const { from, index } = stage;
    const base = globals.expand(from.base, from.range);
    if (base === '')
      throw new BuildError(`base name (${from.base}) should not be blank`, { range: from.range });
    const named = from.platform === null ? platform : platformOf(from.platform, from.range, globals);
    const source: Source =
      base === 'scratch'
        ? { kind: 'scratch' }
        : sourceOf(base, stages.slice(0, index), request, { platform: named });
    planned.push({
      stage,
      name: from.name ?? `stage-${index}`,
      base: source,
      // On another stage, it goes on with that one's.
      platform: source.kind === 'stage' ? planned[source.index]!.platform : named,
    });
  }
  const needed = new Set<number>();
  const need = (index: number) => {
    if (needed.has(index)) return;
    needed.add(index);
    const { base } = planned[index]!;
    for (const source of [base, ...sourcesOf(planned[index]!, stages, request)])
      if (source.kind === 'stage') need(source.index);
  };
  need(target);
  return { stages: planned, target, needed: [...needed].sort((a, b) => a - b) };
}

/** `FROM --platform`. Throws BuildError. */
function platformOf(word: string, range: LineRange, globals: GlobalArgs): Platform {
  let hint = '';
  const onUnset = (name: string) => {
    hint ||= suggestion(name, globals.names());
  };
  const text = globals.expand(word, range, { onUnset });
  if (text === '') throw new BuildError(`empty platform value from expression ${word}${hint}`, { range });
  try {
    return parsePlatform(text);
  } catch (cause) {
    throw new BuildError(`failed to parse platform ${word}: ${(cause as Error).message}${hint}`, {
      ...{ cause, range },
    });
  }
}

/** A name in FROM or `--from`, where only the stages before can be meant. Numbers are for `--from`. */
export function sourceOf(
  name: string,
  before: readonly Stage[],
  request: Pick<BuildRequest, 'namedContexts'>,
  { platform, numbers = false }: { readonly platform: Platform; readonly numbers?: boolean },
): Source {
  const key = contextKey(name, request, platform);
  const named = key === undefined ? undefined : request.namedContexts.get(key);
  const stage = before.findLast(({ from }) => from.name === name.toLowerCase());
  if (named?.kind === 'image') return named.reference === 'scratch' ? { kind: 'scratch' } : named;
  if (named) return { kind: 'context', name: key! };
  if (stage) return { kind: 'stage', index: stage.index };
  if (numbers && /^\d+$/.test(name)) {
    if (before[Number(name)]) return { kind: 'stage', index: Number(name) };
    throw new BuildError(`invalid stage index ${name}`);
  }
  return { kind: 'image', reference: name };
}

/** A context by its name: that of the platform (`NAME::linux/arm64`) goes before one that is for any. */
function contextKey(
  name: string,
  { namedContexts }: Pick<BuildRequest, 'namedContexts'>,
  platform: Platform,
): string | undefined {
  const names = [name, name.toLowerCase()];
  const keys = [...names.map((one) => `${one}::${formatPlatform(platform)}`), ...names];
  return keys.find((key) => namedContexts.has(key));
}

function sourcesOf(
  { stage, platform }: PlannedStage,
  stages: readonly Stage[],
  request: BuildRequest,
): Source[] {
  const before = stages.slice(0, stage.index);
  const later = new Set(stages.slice(stage.index).flatMap(({ from }) => from.name ?? []));
  const known = new Set(before.flatMap(({ from }) => from.name ?? []));
  return stage.instructions.flatMap((instruction) => {
    const names =
      instruction.kind === 'copy'
        ? [instruction.from]
        : instruction.kind === 'run'
          ? instruction.mounts.map(fromOf)
          : [];
    return names.flatMap((name) => {
      if (!name) return [];
      const source = sourceOf(name, before, request, { platform, numbers: true });
      const word = name.toLowerCase();
      if (source.kind === 'image' && source.context === undefined && later.has(word) && !known.has(word))
        throw new BuildError(
          `cannot copy from stage "${name}", it needs to be defined before current stage "${stage.from.name ?? stage.index}"`,
          { range: instruction.range },
        );
      return [source];
    });
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
