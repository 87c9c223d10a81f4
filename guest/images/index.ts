import { createReadStream } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { ContentStore } from '../content/content-store.ts';
import { Leases } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import type { EventSink } from '../events/event.ts';
import { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import { OverlaySnapshotter } from '../layers/overlay-snapshotter.ts';
import type { EnginePaths } from '../store/paths.ts';
import { ImageMaker } from './commit.ts';
import { ImageStore } from './image-store.ts';
import { type LoadedImage, loadImages } from './load.ts';
import { Originals } from './originals.ts';
import type { ImageUser } from './remove.ts';

/** Layers, snapshots and images of one data root. */
export interface Images {
  readonly db: DatabaseSync;
  /** To be opened by whatever makes layers or blobs. */
  readonly leases: Leases;
  readonly layers: OverlayLayerStore;
  readonly snapshots: OverlaySnapshotter;
  /** Names and configurations; resolves for containers. */
  readonly images: ImageStore;
  /** What images looked like in registries. */
  readonly originals: Originals;
  /** Commits for containers. */
  readonly maker: ImageMaker;
  readonly events: EventSink;
  readonly usersOf: (id: Digest) => readonly ImageUser[];
  /** Takes in an archive file, as `docker load --input` does. */
  loadArchive(path: string): Promise<LoadedImage[]>;
}

/**
 * Opens them, and sweeps what a crash has left.
 *
 * @param usersOf the containers made from an image
 */
export async function openImages(options: {
  readonly db: DatabaseSync;
  readonly paths: EnginePaths;
  readonly events: EventSink;
  readonly usersOf: (id: Digest) => readonly ImageUser[];
}): Promise<Images> {
  const { db, paths, events, usersOf } = options;
  // What cannot be removed now goes after the next lease or start.
  const leases = new Leases(
    () =>
      void layers.collect().then(
        () => originals.collect(),
        () => {},
      ),
  );
  const layers = new OverlayLayerStore(db, paths, leases);
  await layers.measure();
  // Those of an image that a crash kept from being recorded.
  await layers.collect();
  const originals = new Originals(db, await ContentStore.open(paths.content, leases), leases);
  originals.collect();
  const snapshots = new OverlaySnapshotter(db, paths);
  const images = new ImageStore(db);
  const maker = new ImageMaker({ leases, layers, snapshots, images, events });
  return {
    db,
    leases,
    layers,
    snapshots,
    images,
    originals,
    maker,
    events,
    usersOf,
    loadArchive: (path) =>
      loadImages({ leases, layers, images, events }, createReadStream(path, { highWaterMark: 1024 * 1024 })),
  };
}
