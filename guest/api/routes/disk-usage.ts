import type { BuildCacheRecord } from '../../builder/build.ts';
import { InvalidParameter } from '../../errors.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/** What `/system/df` adds up; lists in their wire shapes. */
export interface DiskUsageSources {
  layerBytes(): number;
  images(apiMinor: number): readonly object[];
  containers(): Promise<readonly object[]>;
  volumes(): Promise<readonly object[]>;
  buildCache(): Promise<readonly BuildCacheRecord[]>;
}

const types = ['container', 'image', 'volume', 'build-cache'] as const;

export function diskUsageRoutes(sources: DiskUsageSources): Route[] {
  return [{ method: 'GET', path: '/system/df', handle: (request) => diskUsage(sources, request) }];
}

async function diskUsage(sources: DiskUsageSources, { query, apiMinor }: ApiRequest): Promise<Reply> {
  const asked = apiMinor < 42 ? [] : query.all('type');
  const unknown = asked.find((type) => !types.some((known) => known === type));
  if (unknown !== undefined) throw new InvalidParameter(`unknown object type: ${unknown}`);
  const wanted = (type: (typeof types)[number]) => asked.length === 0 || asked.includes(type);
  const [containers, volumes, buildCache] = await Promise.all([
    wanted('container') ? sources.containers() : null,
    wanted('volume') ? sources.volumes() : null,
    wanted('build-cache') ? sources.buildCache() : null,
  ]);
  return {
    json: {
      LayersSize: wanted('image') ? sources.layerBytes() : 0,
      Images: wanted('image') ? sources.images(apiMinor) : null,
      Containers: containers,
      Volumes: volumes,
      BuildCache: buildCache?.map((record) => cacheView(record, apiMinor)) ?? null,
      ...(apiMinor < 42 && buildCache?.length
        ? { BuilderSize: buildCache.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
        : {}),
    },
  };
}

/** Wire shape (API, BuildCache). */
function cacheView(record: BuildCacheRecord, apiMinor: number): object {
  return {
    ID: record.id,
    Type: record.type,
    ...(apiMinor >= 42 && record.parents.length > 0 && { Parents: record.parents }),
    ...(apiMinor < 42 && record.parents.length > 0 && { Parent: record.parents[0] }),
    Description: record.description,
    InUse: record.inUse,
    Shared: record.shared,
    Size: record.sizeBytes,
    CreatedAt: record.createdAt.toISOString(),
    LastUsedAt: record.lastUsedAt?.toISOString() ?? null,
    UsageCount: record.usageCount,
  };
}
