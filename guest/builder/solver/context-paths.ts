import type { StageInstruction } from '../dockerfile/instruction.ts';
import type { Stage } from '../dockerfile/stages.ts';
import { parseMountFlag } from '../exec/mount-flag.ts';

/**
 * What steps will read of a context; null when that is not known before, or is all of it.
 *
 * @param stages that are built
 * @param triggers of their base images
 * @param name of a context that has one; null = the build's own
 */
export function contextPaths(
  stages: readonly Stage[],
  triggers: readonly StageInstruction[],
  name: string | null,
): readonly string[] | null {
  const isIts = (from: string | null) => from?.toLowerCase() === name?.toLowerCase();
  if (name !== null && stages.some(({ from }) => isIts(from.base) || isIts(from.name))) return null;
  const paths = [...triggers, ...stages.flatMap(({ instructions }) => instructions)].flatMap(
    (instruction): readonly string[] => {
      if (instruction.kind === 'onbuild') return [];
      if (instruction.kind === 'run') return instruction.mounts.flatMap((mount) => sourceOf(mount, isIts));
      if (instruction.kind !== 'copy' && instruction.kind !== 'add') return [];
      return isIts(instruction.from) ? instruction.sources.filter((source) => !source.startsWith('<<')) : [];
    },
  );
  return paths.some((path) => /\$/.test(path) || path === '.' || path === '/') || paths.length === 0
    ? null
    : paths;
}

function sourceOf(mount: string, isIts: (from: string | null) => boolean): string[] {
  try {
    const parsed = parseMountFlag(mount);
    // A cache without a source begins empty.
    const reads = parsed.type === 'bind' || (parsed.type === 'cache' && parsed.from !== null);
    return reads && isIts(parsed.from) ? [parsed.source] : [];
  } catch {
    // A variable in it: anything.
    return ['/'];
  }
}
