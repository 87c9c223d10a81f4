import { InvalidParameter } from '../errors.ts';
import { familiarName, familiarReference, type Reference } from '../reference.ts';
import { parseTime } from '../until-filter.ts';
import type { Image } from './image.ts';

export type Filters = ReadonlyMap<string, readonly string[]>;

/** Throws InvalidParameter for a filter that is not among those known. */
export function checkFilters(filters: Filters, known: readonly string[]): void {
  const unknown = [...filters.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw new InvalidParameter(`invalid filter '${unknown}'`);
}

/** One truth value, as dockerd reads it; absent when the filter is not given. */
export function flagFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name);
  if (!values || values.length === 0) return undefined;
  const truths = values.map((value) =>
    ['1', 'true', 't'].includes(value.toLowerCase())
      ? true
      : ['0', 'false', 'f'].includes(value.toLowerCase())
        ? false
        : null,
  );
  if (truths.includes(null) || new Set(truths).size > 1) {
    throw new InvalidParameter(`invalid filter '${name}=${JSON.stringify(values)}'`);
  }
  return truths[0]!;
}

/** `label=key`, `label=key=value`, and their negation by `label!`; all must hold. */
export function matchesLabels({ config }: Image, filters: Filters): boolean {
  const labels = config.config?.Labels ?? {};
  const has = (wanted: string) => {
    const equals = wanted.indexOf('=');
    if (equals < 0) return Object.hasOwn(labels, wanted);
    const key = wanted.slice(0, equals);
    return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1);
  };
  return (filters.get('label') ?? []).every(has) && !(filters.get('label!') ?? []).some(has);
}

/** Names that fit one of the patterns of `reference`; all when there are none. */
export function matchingNames(names: readonly Reference[], filters: Filters): Reference[] {
  const patterns = filters.get('reference') ?? [];
  if (patterns.length === 0) return [...names];
  const tests = patterns.map(glob);
  return names.filter((name) =>
    tests.some((test) => test.test(familiarReference(name)) || test.test(familiarName(name))),
  );
}

/** Go's path.Match: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are classes, a backslash takes the meaning away. */
function glob(pattern: string): RegExp {
  const tokens = /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|([\s\S])/g;
  const source = pattern.replace(tokens, (all, escaped, not, set, one) => {
    if (escaped !== undefined) return literal(escaped);
    if (set !== undefined) return `(?!/)[${not}${set.replace(/[[&]/g, '\\$&')}]`;
    if (one === '*') return '[^/]*';
    if (one === '?') return '[^/]';
    if (one === '[' || one === '\\') throw wrongPattern(pattern);
    return literal(all);
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch (cause) {
    throw wrongPattern(pattern, cause);
  }
}

function literal(character: string): string {
  return character.replace(/[.*+?^$(){}|[\]\\]/, '\\$&');
}

function wrongPattern(pattern: string, cause?: unknown): InvalidParameter {
  return new InvalidParameter(`invalid filter 'reference=${pattern}': syntax error in pattern`, { cause });
}

/** Times of `before`, `since` and `until`: strictly between them. */
export interface TimeWindow {
  readonly after: number;
  readonly before: number;
}

export function timeWindow(filters: Filters, resolve: (word: string) => Image, now: number): TimeWindow {
  const times = (name: string) => (filters.get(name) ?? []).map((word) => resolve(word).createdAt.getTime());
  return {
    after: Math.max(Number.NEGATIVE_INFINITY, ...times('since')),
    // Of several, all hold; a prune takes one (until-filter.ts).
    before: Math.min(...times('before'), ...(filters.get('until') ?? []).map((word) => parseTime(word, now))),
  };
}

/** An image is dangling when no tag leads to it. */
export function isDangling(names: readonly Reference[]): boolean {
  return !names.some(({ tag }) => tag !== undefined);
}
