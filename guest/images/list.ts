import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../digest.ts';
import {
  checkFilters,
  type Filters,
  flagFilter,
  isDangling,
  matchesLabels,
  matchingNames,
  timeWindow,
} from './filter.ts';
import type { Image } from './image.ts';
import type { ImageStore } from './image-store.ts';
import type { ImageUser } from './remove.ts';
import { type ImageSummary, summaryOf } from './shapes.ts';

export interface ListOptions {
  readonly filters: Filters;
  readonly apiMinor: number;
  /** Counts the containers of each image. */
  readonly containers: boolean;
  /** Adds up the layers that each image shares with others. */
  readonly sharedSize: boolean;
}

/** `docker images`, newest first. Throws InvalidParameter for an unknown filter, NotFound for an unknown image in one. */
export function listImages(
  {
    db,
    images,
    usersOf,
  }: {
    readonly db: DatabaseSync;
    readonly images: ImageStore;
    readonly usersOf: (id: Digest) => readonly ImageUser[];
  },
  options: ListOptions,
  now: number = Date.now(),
): ImageSummary[] {
  const { filters } = options;
  checkFilters(filters, ['dangling', 'label', 'label!', 'before', 'since', 'until', 'reference']);
  const dangling = flagFilter(filters, 'dangling');
  const window = timeWindow(filters, (word) => images.resolve(word), now);
  const shared = options.sharedSize ? sharedSizes(db) : null;
  const summaries: ImageSummary[] = [];
  for (const image of images.list()) {
    const names = images.names(image.id);
    const shown = matchingNames(names, filters);
    const time = image.createdAt.getTime();
    const wanted =
      (dangling === undefined || dangling === isDangling(names)) &&
      (shown.length > 0 || (filters.get('reference') ?? []).length === 0) &&
      time > window.after &&
      time < window.before &&
      matchesLabels(image, filters);
    if (!wanted) continue;
    summaries.push(
      summaryOf(image, shown, {
        containers: options.containers ? usersOf(image.id).length : -1,
        sharedBytes: shared ? sharedBytes(image, shared) : -1,
        apiMinor: options.apiMinor,
      }),
    );
  }
  return summaries;
}

interface LayerUse {
  readonly parent: Digest | null;
  readonly sizeBytes: number;
  /** How many images have the layer in their chain. */
  readonly images: number;
}

function sharedSizes(db: DatabaseSync): ReadonlyMap<string, LayerUse> {
  const rows = db
    .prepare(
      `WITH RECURSIVE chain(image, layer) AS (
         SELECT id, chain_id FROM images WHERE chain_id IS NOT NULL
         UNION ALL SELECT image, l.parent FROM chain c JOIN layers l ON l.chain_id = c.layer
         WHERE l.parent IS NOT NULL
       ) SELECT layer, l.parent, l.size, count(*) AS images
         FROM chain JOIN layers l ON l.chain_id = layer GROUP BY layer`,
    )
    .all();
  return new Map(
    rows.map((row) => [
      String(row.layer),
      { parent: row.parent as Digest | null, sizeBytes: Number(row.size), images: Number(row.images) },
    ]),
  );
}

function sharedBytes({ chainId }: Image, uses: ReadonlyMap<string, LayerUse>): number {
  let bytes = 0;
  for (let at = chainId; at !== null; ) {
    const use = uses.get(at);
    if (!use) break;
    if (use.images > 1) bytes += use.sizeBytes;
    at = use.parent;
  }
  return bytes;
}
