import { InvalidParameter } from './errors.ts';

type Filters = ReadonlyMap<string, readonly string[]>;

/** Throws InvalidParameter, as dockerd does, for a filter that the list does not have. */
export function assertKnownFilters(filters: Filters, known: readonly string[]): void {
  for (const name of filters.keys()) {
    if (!known.includes(name)) throw new InvalidParameter(`invalid filter '${name}'`);
  }
}

/** All of `wanted` must hold: `key` is there, or `key=value` is so. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[] = []): boolean {
  return wanted.every((text) => {
    const equals = text.indexOf('=');
    if (equals < 0) return Object.hasOwn(labels, text);
    const key = text.slice(0, equals);
    return Object.hasOwn(labels, key) && labels[key] === text.slice(equals + 1);
  });
}

/** A regular expression, as dockerd takes it; text that is none is sought as it is. */
export function matchesName(name: string, wanted: string): boolean {
  try {
    return new RegExp(wanted).test(name);
  } catch {
    return name.includes(wanted);
  }
}

/** The filters `label` and `label!` of a prune. */
export function isPrunable(labels: Readonly<Record<string, string>>, filters: Filters): boolean {
  return (
    hasLabels(labels, filters.get('label')) &&
    !(filters.get('label!') ?? []).some((text) => hasLabels(labels, [text]))
  );
}

/** A filter with yes-or-no values, such as `dangling`; undefined when it is not given. */
export function flagFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name) ?? [];
  if (values.length === 0) return undefined;
  const words = new Set(values.map((value) => value.toLowerCase()));
  const yes = ['1', 't', 'true'].some((word) => words.has(word));
  const no = ['0', 'f', 'false'].some((word) => words.has(word));
  if (yes === no) throw new InvalidParameter(`invalid filter '${name}=[${values.join(' ')}]'`);
  return yes;
}
