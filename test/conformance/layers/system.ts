import { Readable } from 'node:stream';
import type { Test } from 'tap';
import type { Digest } from '../../../guest/digest.ts';
import type { Layer, LayerStore, Snapshotter } from '../../../guest/layers/snapshotter.ts';
import { listing } from '../../helpers/overlay.ts';
import { type MemberSpec, makeTar } from '../../helpers/tar.ts';

export interface LayerSystem {
  readonly layers: LayerStore;
  readonly snapshots: Snapshotter;
  /** Where everything is kept: looked at for what must not be left. */
  readonly dataRoot: string;
}

/** Gives a fresh, empty system. */
export type MakeLayers = (t: Test) => LayerSystem;

export function commit(
  system: LayerSystem,
  members: readonly MemberSpec[] | Buffer,
  parent: Digest | null = null,
): Promise<Layer> {
  const bytes = Buffer.isBuffer(members) ? members : makeTar(members);
  return system.layers.commitTar(Readable.from([bytes]), parent);
}

/** What a container on a layer sees. */
export async function shown(system: LayerSystem, parent: Digest | null): Promise<string[]> {
  const key = `look-${Math.random()}`;
  await system.snapshots.prepare(key, parent);
  try {
    return listing(system.snapshots.mount(key));
  } finally {
    await system.snapshots.remove(key);
  }
}

export async function read(stream: Readable): Promise<Buffer> {
  return Buffer.concat(await stream.toArray());
}
