import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../digest.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Reference } from '../reference.ts';
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
import { manifestOf } from './manifest.ts';
import { manifestSummary } from './manifest-summary.ts';
import type { ImageUser } from './remove.ts';
import { type ImageSummary, summaryOf } from './summary.ts';

export interface ListOptions {
  /** Also those without a name that others were committed from. */
  readonly all: boolean;
  readonly filters: Filters;
  readonly apiMinor: number;
  /** Counts the containers of each image. */
  readonly containers: boolean;
  /** Adds up the layers that each image shares with others. */
  readonly sharedSize: boolean;
  /** Describes the manifest of each image. */
  readonly manifests: boolean;
}

/** `docker images`, newest first. Throws InvalidParameter for an unknown filter, NotFound for an unknown image in one. */
export function listImages(
  parts: {
    readonly db: DatabaseSync;
    readonly images: ImageStore;
    readonly layers: OverlayLayerStore;
    readonly usersOf: (id: Digest) => readonly ImageUser[];
  },
  options: ListOptions,
  now: number = Date.now(),
): ImageSummary[] {
  const { db, images, usersOf } = parts;
  const { filters } = options;
  checkFilters(filters, ['dangling', 'label', 'label!', 'before', 'since', 'until', 'reference']);
  const dangling = flagFilter(filters, 'dangling');
  const window = timeWindow(filters, (word) => images.resolve(word), now);
  const shared = options.sharedSize ? sharedSizes(db) : null;
  const allNames = images.allNames();
  const summaries: ImageSummary[] = [];
  const listed = images.list();
  const parents = new Set(listed.map(({ parent }) => parent));
  for (const image of listed) {
    const names = allNames.get(image.id) ?? [];
    const shown = matchingNames(names, filters);
    const time = image.createdAt.getTime();
    const wanted =
      fitsDangling(names, dangling) &&
      (options.all || names.length > 0 || !parents.has(image.id)) &&
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
        ...(options.manifests && {
          manifest: manifestSummary(
            image,
            manifestOf(image, parts),
            usersOf(image.id).map(({ id }) => id),
          ),
        }),
      }),
    );
  }
  return summaries;
}

/** An image that has nothing but a digest is found by both values, as with dockerd. */
function fitsDangling(names: readonly Reference[], dangling: boolean | undefined): boolean {
  if (dangling === undefined) return true;
  return dangling ? isDangling(names) : names.length > 0;
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
