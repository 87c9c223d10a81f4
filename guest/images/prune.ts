import { untilFilter } from '../until-filter.ts';
import { checkFilters, type Filters, flagFilter, isDangling, matchesLabels } from './filter.ts';
import type { Image } from './image.ts';
import { deleteImage, deleteParents, type RemoveDependencies, type Removed } from './remove.ts';

/**
 * Deletes images that no container uses: those without a tag, or all with the filter `dangling=false`.
 * Throws InvalidParameter for an unknown filter.
 */
export async function pruneImages(
  deps: RemoveDependencies,
  filters: Filters,
  now: number = Date.now(),
): Promise<{ readonly removed: readonly Removed[]; readonly reclaimedBytes: number }> {
  checkFilters(filters, ['dangling', 'label', 'label!', 'until']);
  const onlyDangling = flagFilter(filters, 'dangling') ?? true;
  const until = untilFilter(filters, now);
  const isUnused = (image: Image) =>
    (!onlyDangling || isDangling(deps.images.names(image.id))) &&
    image.createdAt.getTime() < until &&
    matchesLabels(image, filters) &&
    deps.usersOf(image.id).length === 0 &&
    !deps.images.hasChildren(image.id);
  const removed: Removed[] = [];
  const before = deps.layers.totalBytes();
  for (const image of deps.images.list()) {
    // Asked for each one anew: a container may have been made meanwhile, or it went with a child of its.
    if (!deps.images.get(image.id) || !isUnused(image)) continue;
    removed.push(...(await deleteImage(deps, image)), ...(await deleteParents(deps, image)));
  }
  const reclaimedBytes = before - deps.layers.totalBytes();
  deps.events.publish({
    type: 'image',
    action: 'prune',
    actor: { id: '', attributes: { reclaimed: String(reclaimedBytes) } },
  });
  return { removed, reclaimedBytes };
}
