import type { BuildResult } from '../build.ts';

/** What a front end has made: a result for each platform, in the order in which they were asked for. */
export interface Built {
  readonly results: readonly BuildResult[];
  /** Several platforms were asked for, or an index of one: it is written as such. */
  readonly isIndex: boolean;
  /** Answers to what was asked of a Dockerfile in place of a build (`calls.ts`). */
  readonly metadata?: ReadonlyMap<string, Buffer>;
}

/** Of one platform. */
export function builtOne(result: BuildResult): Built {
  return { results: [result], isIndex: false };
}
