import type { BuildCache, BuildCacheRecord, CachePruneOptions } from '../build.ts';
import { codes, GrpcError } from './grpc/status.ts';
import type { PruneRequest } from './wire/control.ts';
import { UsageRecord } from './wire/control.ts';
import type { Content } from './wire/message.ts';

/** `docker buildx du`. */
export async function usageRecords(
  cache: BuildCache,
  filter: readonly string[],
): Promise<Content<typeof UsageRecord>[]> {
  const filters = readFilters(filter);
  const matches = (record: BuildCacheRecord) =>
    [...filters].every(([key, values]) => values.includes(fieldOf(record, key)));
  return (await cache.usage()).filter(matches).map(usageRecord);
}

export function usageRecord(record: BuildCacheRecord): Content<typeof UsageRecord> {
  return UsageRecord.of({
    id: record.id,
    mutable: record.type === 'exec.cachemount' || record.type === 'source.local',
    inUse: record.inUse,
    size: record.sizeBytes,
    createdAt: record.createdAt,
    lastUsedAt: record.lastUsedAt ?? undefined,
    usageCount: record.usageCount,
    description: record.description,
    recordType: record.type,
    shared: record.shared,
    parents: [...record.parents],
  });
}

/** `docker buildx prune`. Throws GrpcError. */
export function pruneOptions(request: Content<typeof PruneRequest>, now: Date): CachePruneOptions {
  const { all, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace } = request;
  if (minFreeSpace !== 0)
    throw new GrpcError(codes.unimplemented, 'this engine does not support --min-free-space');
  return {
    all,
    keepBytes: Math.max(reservedSpace, maxUsedSpace),
    unusedSince: keepDuration === 0 ? undefined : new Date(now.getTime() - keepDuration / 1e6),
    filters: readFilters(request.filter),
  };
}

/** containerd's filters, of which clients send `key==value` and `key`. */
function readFilters(filter: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const filters = new Map<string, string[]>();
  for (const part of filter.flatMap((text) => text.split(',')).filter(Boolean)) {
    const [, key, value = 'true'] = /^(\w+)(?:==(.*))?$/.exec(part) ?? [];
    if (!key || !(key in fields))
      throw new GrpcError(
        codes.invalidArgument,
        `invalid filter "${part}"; ${Object.keys(fields).join(', ')} can be asked for, with ==`,
      );
    filters.set(key, [...(filters.get(key) ?? []), value.replace(/^"(.*)"$/, '$1')]);
  }
  return filters;
}

const fields: Readonly<Record<string, (record: BuildCacheRecord) => string>> = {
  id: ({ id }) => id,
  parents: ({ parents }) => parents.join(),
  type: ({ type }) => type,
  description: ({ description }) => description,
  inuse: ({ inUse }) => String(inUse),
  shared: ({ shared }) => String(shared),
  private: ({ shared }) => String(!shared),
};

function fieldOf(record: BuildCacheRecord, key: string): string {
  return fields[key]!(record);
}
