import type { Digest } from '../digest.ts';
import type { EventSink } from '../events/event.ts';
import { chainIdOf } from '../layers/chain.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import { readTarOf, type StagedTar } from '../layers/stage-tar.ts';
import { familiarReference } from '../reference.ts';
import { type ArchiveImage, imagesOf } from './archive-images.ts';
import { type LayerSource, readArchive } from './archive-reader.ts';
import type { Image } from './image.ts';
import { imageEvent } from './image-event.ts';
import type { ImageStore } from './image-store.ts';
import { hostPlatform, type Platform } from './platform.ts';

export interface LoadedImage {
  readonly image: Image;
  /** Names that the archive gave it, as people see them. */
  readonly names: readonly string[];
  /** Names that another image had until now, with that image. */
  readonly taken: readonly { readonly name: string; readonly from: Digest }[];
}

export interface LoadDependencies {
  readonly layers: OverlayLayerStore;
  readonly images: ImageStore;
  readonly events: EventSink;
}

/**
 * Takes in every image of an archive (`docker save` or an OCI layout, plain or compressed). Images appear
 * one by one, each complete and durable. Throws InvalidParameter on a malformed archive, and then what was
 * not complete leaves nothing.
 */
export async function loadImages(
  { layers, images, events }: LoadDependencies,
  archive: AsyncIterable<Buffer>,
  platform: Platform = hostPlatform,
): Promise<LoadedImage[]> {
  using _ = layers.hold();
  const contents = await readArchive(archive, layers);
  const unused = new Set(contents.staged);
  try {
    const loaded: LoadedImage[] = [];
    for (const item of imagesOf(contents, platform)) {
      await commitLayers(layers, item, unused);
      const taken = item.names.flatMap((name) => {
        const from = images.byReference(name);
        return from ? [{ name: familiarReference(name), from: from.id }] : [];
      });
      const image = images.put(item.config, item.names);
      events.publish(imageEvent('load', image));
      loaded.push({
        image,
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
  unused: Set<StagedTar>,
): Promise<void> {
  let parent: Digest | null = null;
  const missing: LayerSource[] = [];
  for (const layer of image.layers) {
    const chainId: Digest = chainIdOf(parent, layer.diffId);
    if (missing.length === 0 && layers.find(chainId)) parent = chainId;
    else missing.push(layer);
  }
  if (missing.length === 0) return;
  const staged: StagedTar[] = [];
  for (const layer of missing) {
    const isHere = 'dir' in layer && unused.has(layer);
    if (isHere && !staged.includes(layer)) staged.push(layer);
    // The same bytes are in this chain twice, or in another one that is committed already.
    else
      staged.push(
        await layers.stage(isHere ? readTarOf(layer.dir, layer.diffId) : layers.readDiff(layer.diffId)),
      );
  }
  for (const layer of staged) unused.delete(layer);
  await layers.seal(staged, parent);
}
