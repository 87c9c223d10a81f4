import type { Containers } from '../../containers/containers.ts';
import { isLive } from '../../containers/state.ts';
import { Conflict } from '../../errors.ts';
import type { EventSink } from '../../events/event.ts';
import { assertKnownFilters, isPrunable } from '../../label-filter.ts';
import type { Snapshotter } from '../../layers/snapshotter.ts';
import { untilFilter } from '../../until-filter.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/** `docker container prune`: removes what does not run. */
export function containerPruneRoutes(
  containers: Containers,
  snapshotter: Pick<Snapshotter, 'usage'>,
  events: EventSink,
): Route[] {
  return [{ method: 'POST', path: '/containers/prune', handle: prune }];

  async function prune({ query }: ApiRequest): Promise<Reply> {
    const filters = query.filters();
    assertKnownFilters(filters, ['label', 'label!', 'until']);
    const until = untilFilter(filters);
    const idle = containers
      .list()
      .filter(
        ({ record: { state, config, createdAt } }) =>
          !isLive(state) &&
          state.status !== 'restarting' &&
          isPrunable(config.Labels, filters) &&
          Date.parse(createdAt) < until,
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
    events.publish({
      type: 'container',
      action: 'prune',
      actor: { id: '', attributes: { reclaimed: String(bytes) } },
    });
    return { json: { ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: bytes } };
  }
}
