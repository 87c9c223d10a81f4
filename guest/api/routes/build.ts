import type { BuildCache, Builder } from '../../builder/build.ts';
import type { DoorParts } from '../../builder/classic/build-door.ts';
import { untilFilter } from '../../until-filter.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/**
 * `POST /build`: an archive in, progress out. Nothing of it is loaded before the first build: an engine starts sooner without it.
 *
 * @param open gives the engine's one builder
 */
export function buildRoutes(open: () => Promise<Builder>, parts: Omit<DoorParts, 'builder'>): Route[] {
  return [
    { method: 'POST', path: '/build', handle: build },
    // True: a classic build ends with its client.
    { method: 'POST', path: '/build/cancel', handle: () => ({ status: 204 }) },
    { method: 'POST', path: '/build/prune', handle: async (request) => prune(request, (await open()).cache) },
  ];

  async function build(request: ApiRequest): Promise<Reply> {
    const { classicBuild } = await import('../../builder/classic/build-door.ts');
    return classicBuild(request, { ...parts, builder: await open() });
  }
}

async function prune({ query }: ApiRequest, cache: BuildCache): Promise<Reply> {
  const filters = new Map(query.filters());
  // BuildKit's word for the same.
  const until = untilFilter(
    new Map([['until', [...(filters.get('until') ?? []), ...(filters.get('unused-for') ?? [])]]]),
  );
  filters.delete('until');
  filters.delete('unused-for');
  const keep = ['reserved-space', 'keep-storage', 'max-used-space'].map((name) => query.integer(name) ?? 0);
  const gone = await cache.prune({
    all: query.flag('all'),
    keepBytes: Math.max(...keep),
    ...(Number.isFinite(until) && { unusedSince: new Date(until) }),
    filters,
  });
  const { ownBytes } = await import('../../builder/cache/prune.ts');
  return {
    json: {
      CachesDeleted: gone.length > 0 ? gone.map(({ id }) => id) : null,
      SpaceReclaimed: ownBytes(gone),
    },
  };
}
