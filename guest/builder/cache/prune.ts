import type { BuildCacheRecord, CachePruneOptions } from '../build.ts';
import { BuildError } from '../build-error.ts';

const known: Readonly<Record<string, (record: BuildCacheRecord, value: string) => boolean>> = {
  id: ({ id }, value) => id.includes(value),
  parent: ({ parents }, value) => parents.some((parent) => parent.includes(value)),
  parents: ({ parents }, value) => parents.some((parent) => parent.includes(value)),
  type: ({ type }, value) => type === value,
  description: ({ description }, value) => description.includes(value),
  inuse: ({ inUse }, value) => inUse === isTrue(value),
  shared: ({ shared }, value) => shared === isTrue(value),
  private: ({ shared }, value) => !shared === isTrue(value),
};

/** Throws BuildError for a filter that does not exist. */
export function checkFilters(filters: CachePruneOptions['filters']): void {
  const unknown = [...filters.keys()].find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) {
    throw new BuildError(`invalid filter '${unknown}'; expected until, ${Object.keys(known).join(', ')}`);
  }
}

/** Which records go, least recently used first. */
export function prunable(
  records: readonly BuildCacheRecord[],
  { all, keepBytes, unusedSince, filters }: CachePruneOptions,
): BuildCacheRecord[] {
  const matches = records.filter(
    (record) =>
      !record.inUse &&
      (all || !(record.shared && record.type !== 'exec.cachemount')) &&
      (!unusedSince || (record.lastUsedAt ?? record.createdAt) < unusedSince) &&
      [...filters].every(
        ([name, values]) => values.length === 0 || values.some((value) => known[name]?.(record, value)),
      ),
  );
  const byUse = matches.sort((a, b) => (a.lastUsedAt?.getTime() ?? 0) - (b.lastUsedAt?.getTime() ?? 0));
  if (keepBytes === 0) return byUse;
  let total = records.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const gone: BuildCacheRecord[] = [];
  for (const record of byUse) {
    if (total <= keepBytes) break;
    total -= record.sizeBytes;
    gone.push(record);
  }
  return gone;
}

function isTrue(value: string): boolean {
  return ['', '1', 't', 'true'].includes(value.toLowerCase());
}
