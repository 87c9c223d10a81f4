import type { Containers } from '../../containers/containers.ts';
import { isLive } from '../../containers/state.ts';
import { Conflict } from '../../errors.ts';
import type { Snapshotter } from '../../layers/snapshotter.ts';
import { parseLogTime } from '../../logs/log-stream.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';
import { assertKnownFilters, isPrunable } from '../label-filter.ts';

/** `docker container prune`: removes what does not run. */
export function containerPruneRoutes(
  containers: Containers,
  snapshotter: Pick<Snapshotter, 'usage'>,
): Route[] {
  return [{ method: 'POST', path: '/containers/prune', handle: prune }];

  async function prune({ query }: ApiRequest): Promise<Reply> {
    const filters = query.filters();
    assertKnownFilters(filters, ['label', 'label!', 'until']);
    const until = parseLogTime(filters.get('until')?.[0], 'until');
    const idle = containers
      .list()
      .filter(
        ({ record: { state, config, createdAt } }) =>
          !isLive(state) &&
          state.status !== 'restarting' &&
          isPrunable(config.Labels, filters) &&
          (until === null || createdAt < until),
      );
    let bytes = 0;
    const removed: string[] = [];
    for (const container of idle) {
      const usage = await snapshotter.usage(container.id);
      try {
        await container.remove({ force: false, volumes: false });
      } catch (error) {
        // Started meanwhile.
        if (error instanceof Conflict) continue;
        throw error;
      }
      bytes += usage;
      removed.push(container.id);
    }
    return { json: { ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: bytes } };
  }
}
