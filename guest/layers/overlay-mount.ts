import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Mount } from './snapshotter.ts';

/** Layer directory 0 is always empty: the lower directory of snapshots without layers. */
export const emptyLayerDir = 0;

/** Makes the directory of layers and the empty layer in it. Idempotent. */
export function makeEmptyLayer(layersRoot: string): void {
  // Layers hold setuid programs of strangers: nobody else on the host may reach them.
  mkdirSync(layersRoot, { recursive: true, mode: 0o700 });
  mkdirSync(join(layersRoot, `${emptyLayerDir}`, 'fs'), { recursive: true });
}

/**
 * Fixed options (kernel Documentation/filesystems/overlayfs.rst). An upper directory must be complete by
 * itself, because `docker diff` and `docker commit` read it without the lower ones:
 *
 *   index=off         no hidden index of hard links in `work/`, so an upper may be mounted again after any
 *                     crash or change of a lower directory
 *   metacopy=off      a chmod copies the whole file up: no upper file is an empty shell over a lower one
 *   redirect_dir=off  renaming a lower directory is EXDEV (programs then copy): no upper directory borrows
 *                     its content from a lower one by name
 */
const fixed = 'index=off,metacopy=off,redirect_dir=off';

/**
 * @param layersRoot absolute; the mount is made with it as working directory, so that each lower directory
 *   costs about eight bytes of overlay's 4096-byte option page and 128 of them fit
 * @param lower directory numbers, top first; at least one
 * @param snapshot path of the snapshot directory, relative to layersRoot
 */
export function overlayMount(layersRoot: string, lower: readonly number[], snapshot: string): Mount {
  const lowerdir = lower.map((dir) => `${dir}/fs`).join(':');
  return {
    type: 'overlay',
    source: 'overlay',
    options: [`lowerdir=${lowerdir}`, `upperdir=${snapshot}/upper`, `workdir=${snapshot}/work`, fixed],
    cwd: layersRoot,
  };
}

/** Layers alone, read-only. Without an upper directory overlay wants two lower ones: the empty one makes it two. */
export function readonlyOverlayMount(layersRoot: string, lower: readonly number[]): Mount {
  const lowerdir = [...lower, emptyLayerDir].map((dir) => `${dir}/fs`).join(':');
  return { type: 'overlay', source: 'overlay', options: ['ro', `lowerdir=${lowerdir}`], cwd: layersRoot };
}
