import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidParameter } from '../errors.ts';
import { type MountedRootfs, mountRootfs } from '../runtime/mounted-rootfs.ts';
import { canonicalRootfsPath } from '../runtime/spec/rootfs-file.ts';
import type { RecordedMount } from './container-record.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * Copy-up: what the image has where an empty volume goes is copied into it. When a container is made, not
 * when it starts: another one may use its volumes before. Throws InvalidParameter when the image has a file
 * there.
 */
export async function fillVolumes(
  { id, mounts }: { readonly id: string; readonly mounts: readonly RecordedMount[] },
  { snapshotter, volumes, paths }: Pick<Dependencies, 'snapshotter' | 'volumes' | 'paths'>,
): Promise<void> {
  const wanted = mounts.filter(({ copyUp }) => copyUp);
  if (wanted.length === 0) return;
  const rootfs = snapshotter.mount(id);
  let mounted: MountedRootfs | undefined;
  try {
    for (const { name, destination, subpath: below = '' } of wanted) {
      const path = canonicalRootfsPath(rootfs, destination);
      if (path === null) continue;
      const from = async () => {
        mounted ??= await mountRootfs(rootfs, join(paths.run(id), 'copy-up'));
        const source = join(mounted.path, path);
        const stat = lstatSync(source, { throwIfNoEntry: false });
        if (stat && !stat.isDirectory()) {
          throw new InvalidParameter(
            `cannot mount volume over existing file, file exists ${destination} in the image`,
          );
        }
        return stat ? source : null;
      };
      await volumes.populate(name, from, { below });
    }
  } finally {
    await mounted?.[Symbol.asyncDispose]();
  }
}
