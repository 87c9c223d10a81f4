import { createReadStream } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../digest.ts';
import type { EventSink } from '../events/event.ts';
import { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import { OverlaySnapshotter } from '../layers/overlay-snapshotter.ts';
import type { EnginePaths } from '../store/paths.ts';
import { ImageMaker } from './commit.ts';
import { ImageStore } from './image-store.ts';
import { type LoadedImage, loadImages } from './load.ts';
import type { ImageUser } from './remove.ts';

/** Layers, snapshots and images of one data root. */
export interface Images {
  readonly db: DatabaseSync;
  readonly layers: OverlayLayerStore;
  readonly snapshots: OverlaySnapshotter;
  /** Names and configurations; resolves for containers. */
  readonly images: ImageStore;
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
  const layers = new OverlayLayerStore(db, paths);
  // Those of an image that a crash kept from being recorded.
  await layers.collect();
  const snapshots = new OverlaySnapshotter(db, paths);
  const images = new ImageStore(db);
  const maker = new ImageMaker({ layers, snapshots, images, events });
  return {
    db,
    layers,
    snapshots,
    images,
    maker,
    events,
    usersOf,
    loadArchive: (path) =>
      loadImages({ layers, images, events }, createReadStream(path, { highWaterMark: 1024 * 1024 })),
  };
}
