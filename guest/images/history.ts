import type { Digest } from '../digest.ts';
import { chainIdOf } from '../layers/chain.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Reference } from '../reference.ts';
import type { Image } from './image.ts';
import { splitNames } from './summary.ts';

/** `docker history`, newest first. */
export function historyOf(image: Image, names: readonly Reference[], layers: OverlayLayerStore): object[] {
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
  const last = entries.at(-1);
  const { tags } = splitNames(names);
  if (last) Object.assign(last, { Id: image.id, Tags: tags.length > 0 ? tags : null });
  return entries.reverse();
}
