import type { Dockerfile } from '../dockerfile/stages.ts';
import { parseMountFlag } from '../exec/mount-flag.ts';

/** What steps will read of the build context; null when that is not known before, or is all of it. */
export function contextPaths({ stages }: Dockerfile): readonly string[] | null {
  const paths = stages
    .flatMap(({ instructions }) => instructions)
    .flatMap((instruction): readonly string[] => {
      if (instruction.kind === 'onbuild') return [];
      if (instruction.kind === 'run') return instruction.mounts.flatMap(sourceOf);
      if (instruction.kind !== 'copy' && instruction.kind !== 'add') return [];
      return instruction.from === null
        ? instruction.sources.filter((source) => !source.startsWith('<<'))
        : [];
    });
  // A trigger of a base image may want anything.
  return paths.some((path) => /\$/.test(path) || path === '.' || path === '/') || paths.length === 0
    ? null
    : paths;
}

function sourceOf(mount: string): string[] {
  try {
    const parsed = parseMountFlag(mount);
    return parsed.type === 'bind' && parsed.from === null ? [parsed.source] : [];
  } catch {
    // A variable in it: anything.
    return ['/'];
  }
}
