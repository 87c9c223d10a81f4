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
  // Of those last used at once the order stays: what stands on others comes before them.
  const byUse = matches.sort((a, b) => (a.lastUsedAt?.getTime() ?? 0) - (b.lastUsedAt?.getTime() ?? 0));
  if (keepBytes === 0) return byUse;
  let total = ownBytes(records);
  const gone: BuildCacheRecord[] = [];
  for (const record of byUse) {
    if (total <= keepBytes) break;
    total -= ownBytes([record]);
    gone.push(record);
  }
  return gone;
}

/** What is on the disk for the cache alone: a layer that an image has too stays without it. */
export function ownBytes(records: readonly BuildCacheRecord[]): number {
  return records.reduce((sum, { shared, sizeBytes }) => sum + (shared ? 0 : sizeBytes), 0);
}

function isTrue(value: string): boolean {
  return ['', '1', 't', 'true'].includes(value.toLowerCase());
}
