import { mkdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { InvalidParameter } from '../errors.ts';
import { ConfinedRoot } from '../layers/confined-root.ts';
import { byteString } from '../layers/tar-entry.ts';
import { mountRootfs } from '../runtime/mounted-rootfs.ts';
import { canonicalRootfsPath, isRootfsDirectory } from '../runtime/spec/rootfs-file.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * Makes a container's working directory where its image has none: root's own, as dockerd does when a container is made,
 * so that `docker cp` finds it. Throws InvalidParameter when something else is there.
 */
export async function makeWorkingDirectory(
  { id, config }: Pick<ContainerRecord, 'id' | 'config'>,
  { snapshotter, paths }: Pick<Dependencies, 'snapshotter' | 'paths'>,
): Promise<void> {
  const path = posix.normalize(config.WorkingDir || '/');
  const rootfs = snapshotter.mount(id);
  if (isRootfsDirectory(rootfs, path)) return;
  if (canonicalRootfsPath(rootfs, path) !== null)
    throw new InvalidParameter(`Cannot mkdir: ${config.WorkingDir} is not a directory`);
  await using mounted = await mountRootfs(rootfs, join(paths.run(id), 'working-directory'));
  using root = new ConfinedRoot(mounted.path);
  root
    .open(byteString(path), (parent, name) => mkdirSync(parent.at(name), { mode: 0o755 }))
    [Symbol.dispose]();
}
