import type { Leases } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import type { EventSink } from '../events/event.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Layer } from '../layers/snapshotter.ts';
import { familiarReference } from '../reference.ts';
import { imagesOf } from './archive-images.ts';
import { readArchive } from './archive-reader.ts';
import { commitLayers } from './commit-layers.ts';
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
  /** Nobody asks for it by itself. */
  readonly untold: boolean;
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
      const newLayers = await commitLayers(layers, item.layers, { unused, lease });
      const taken = item.names.flatMap((name) => {
        const from = images.byReference(name);
        return from ? [{ name: familiarReference(name), from: from.id }] : [];
      });
      const image = images.put(item.config, item.names, item.parent);
      events.publish(imageEvent('load', image));
      loaded.push({
        image,
        newLayers,
        names: item.names.map(familiarReference),
        taken: taken.filter(({ from }) => from !== image.id),
        untold: item.untold ?? false,
      });
    }
    return loaded;
  } finally {
    await Promise.all([...unused].map((layer) => layers.discard(layer)));
  }
}
