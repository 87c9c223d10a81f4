import type { Lease } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import { NotFound } from '../errors.ts';
import { chainIdOf } from '../layers/chain.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Layer } from '../layers/snapshotter.ts';
import { readTarOf, type StagedTar } from '../layers/stage-tar.ts';
import type { LayerSource } from './archive-reader.ts';

/**
 * Commits the part of an image's chain that is not there yet, with one sync for all of it; returns that part.
 *
 * @param chain bottom first
 * @param unused staged tars that may be taken; those that were are taken out
 */
export async function commitLayers(
  layers: OverlayLayerStore,
  chain: readonly LayerSource[],
  { unused, lease }: { readonly unused: Set<StagedTar>; readonly lease: Lease },
): Promise<Layer[]> {
  let parent: Digest | null = null;
  const missing: LayerSource[] = [];
  for (const layer of chain) {
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
