import { Conflict } from '../errors.ts';
import type { VolumeStore } from '../volumes/volume-store.ts';
import type { RecordedMount } from './container-record.ts';
import type { Dependencies } from './dependencies.ts';

/** Takes down what a container has outside its record and directory. Idempotent. */
export async function discard(
  id: string,
  { runtime, networks, snapshotter }: Pick<Dependencies, 'runtime' | 'networks' | 'snapshotter'>,
): Promise<void> {
  await runtime.remove(id);
  await networks.releaseSandbox(id);
  await snapshotter.remove(id);
}

/** Removes the volumes that were made for a container alone. */
export async function discardVolumes(
  mounts: readonly RecordedMount[],
  volumes: Pick<VolumeStore, 'remove'>,
): Promise<void> {
  for (const { name } of mounts.filter(({ anonymous }) => anonymous)) {
    await volumes.remove(name).catch((error: unknown) => {
      // Another container has taken it up by its name.
      if (!(error instanceof Conflict)) throw error;
    });
  }
}
