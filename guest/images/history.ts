import type { Digest } from '../digest.ts';
import { chainIdOf } from '../layers/chain.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Image } from './image.ts';
import type { ImageStore } from './image-store.ts';
import { splitNames } from './summary.ts';

/** `docker history`, newest first. An entry has an image of its own where one was committed from the other. */
export function historyOf(
  image: Image,
  { images, layers }: { readonly images: ImageStore; readonly layers: OverlayLayerStore },
): object[] {
  let chainId: Digest | null = null;
  let next = 0;
  const { diff_ids: diffIds } = image.config.rootfs;
  const entries = (image.config.history ?? []).map((entry) => {
    let size = 0;
    const diffId = entry.empty_layer ? undefined : diffIds[next++];
    if (diffId !== undefined) {
      chainId = chainIdOf(chainId, diffId);
      size = layers.get(chainId).sizeBytes;
    }
    return {
      Id: '<missing>',
      Created: Math.floor((Date.parse(entry.created ?? '') || 0) / 1000),
      CreatedBy: entry.created_by ?? '',
      Tags: null as readonly string[] | null,
      Size: size,
      Comment: entry.comment ?? '',
    };
  });
  entries.reverse();
  let at: Image | undefined = image;
  for (const entry of entries) {
    if (!at) break;
    const { tags } = splitNames(images.names(at.id));
    Object.assign(entry, { Id: at.id, Tags: tags.length > 0 ? tags : null });
    at = at.parent === null ? undefined : images.get(at.parent);
  }
  return entries;
}
