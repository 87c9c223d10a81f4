import type { Lease, Leases } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import { NotFound } from '../errors.ts';
import type { EventSink } from '../events/event.ts';
import { chainIdOf } from '../layers/chain.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Layer } from '../layers/snapshotter.ts';
import { readTarOf, type StagedTar } from '../layers/stage-tar.ts';
import { familiarReference } from '../reference.ts';
import { type ArchiveImage, imagesOf } from './archive-images.ts';
import { type LayerSource, readArchive } from './archive-reader.ts';
import type { Image } from './image.ts';
import { imageEvent } from './image-event.ts';
import type { ImageStore } from './image-store.ts';
import type { Platform } from './platform.ts';

export interface LoadedImage {
  readonly image: Image;
  /** Layers that were not here before. */
  readonly newLayers: readonly Layer[];
  /** Names that the archive gave it, as people see them. */
  readonly names: readonly string[];
  /** Names that another image had until now, with that image. */
  readonly taken: readonly { readonly name: string; readonly from: Digest }[];
}

export interface LoadDependencies {
  readonly leases: Leases;
  readonly layers: OverlayLayerStore;
  readonly images: ImageStore;
  readonly events: EventSink;
}

/**
 * Takes in every image of an archive (`docker save` or an OCI layout, plain or compressed). Images appear
 * one by one, each complete and durable. Throws InvalidParameter on a malformed archive, and then what was
 * not complete leaves nothing.
 *
 * @param platform the only one wanted; NotFound when the archive has none of it. Without it, the one that
 *   fits this computer best.
 */
export async function loadImages(
  { leases, layers, images, events }: LoadDependencies,
  archive: AsyncIterable<Buffer>,
  platform?: Platform,
): Promise<LoadedImage[]> {
  using lease = leases.open();
  const contents = await readArchive(archive, layers, lease);
  const unused = new Set(contents.staged);
  try {
    const loaded: LoadedImage[] = [];
    for (const item of imagesOf(contents, platform)) {
      const newLayers = await commitLayers(layers, item, { unused, lease });
      const taken = item.names.flatMap((name) => {
        const from = images.byReference(name);
        return from ? [{ name: familiarReference(name), from: from.id }] : [];
      });
      const image = images.put(item.config, item.names);
      events.publish(imageEvent('load', image));
      loaded.push({
        image,
        newLayers,
        names: item.names.map(familiarReference),
        taken: taken.filter(({ from }) => from !== image.id),
      });
    }
    return loaded;
  } finally {
    await Promise.all([...unused].map((layer) => layers.discard(layer)));
  }
}

/** Commits the part of the image's chain that is not there yet, with one sync for all of it. */
async function commitLayers(
  layers: OverlayLayerStore,
  image: ArchiveImage,
  { unused, lease }: { readonly unused: Set<StagedTar>; readonly lease: Lease },
): Promise<Layer[]> {
  let parent: Digest | null = null;
  const missing: LayerSource[] = [];
  for (const layer of image.layers) {
    const chainId: Digest = chainIdOf(parent, layer.diffId);
    lease.hold(chainId);
    if (missing.length === 0 && layers.find(chainId)) parent = chainId;
    else missing.push(layer);
  }
  if (missing.length === 0) return [];
  const staged: StagedTar[] = [];
  for (const layer of missing) {
    const isHere = 'dir' in layer && unused.has(layer);
    if (isHere && !staged.includes(layer)) staged.push(layer);
    // The same bytes are in this chain twice, or in another one that is committed already.
    else staged.push(await layers.stage(isHere ? readTarOf(layer.dir, layer.diffId) : again(layers, layer)));
  }
  for (const layer of staged) unused.delete(layer);
  return layers.seal(staged, parent, lease);
}

function again(layers: OverlayLayerStore, layer: LayerSource): AsyncIterable<Buffer> {
  const chainId = 'chainId' in layer ? layer.chainId : layers.findDiff(layer.diffId);
  if (!chainId) throw new NotFound(`no layer was made of ${layer.diffId}`);
  return layers.readTar(chainId);
}
