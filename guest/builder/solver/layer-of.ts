import type { Digest } from '../../digest.ts';
import type { FilesAtHand } from '../../layers/layer-files.ts';
import type { Layer } from '../../layers/snapshotter.ts';
import type { BuildRun } from './build-run.ts';

/** Makes a layer of a tar, which is read no further than the layer is written; null when there is nothing in it. */
export async function layerOf(
  tar: AsyncIterable<Buffer>,
  parent: Digest | null,
  { deps, lease, supply }: Pick<BuildRun, 'deps' | 'lease' | 'supply'>,
  atHand?: FilesAtHand,
): Promise<Layer | null> {
  const iterator = tar[Symbol.asyncIterator]();
  const first = await iterator.next();
  // An archive of nothing is zeros alone.
  if (first.done || first.value.every((byte) => byte === 0)) {
    await iterator.return?.();
    return null;
  }
  return deps.layers.commitTar(whole(first.value, iterator, supply.signal), parent, lease, atHand);
}

async function* whole(
  first: Buffer,
  rest: AsyncIterator<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  yield first;
  try {
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      signal.throwIfAborted();
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
