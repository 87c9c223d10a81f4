import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidParameter } from '../errors.ts';
import { mountRootfs } from '../runtime/mounted-rootfs.ts';
import { canonicalRootfsPath } from '../runtime/spec/rootfs-file.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Dependencies } from './dependencies.ts';

type Needed = Pick<Dependencies, 'snapshotter' | 'volumes' | 'paths'>;

/**
 * Before a start: directories that `-v` binds, and, before the first one, what the image has where an empty
 * volume goes. Throws InvalidParameter when a bind's source is missing and nobody wanted it made.
 */
export async function prepareMounts(record: ContainerRecord, deps: Needed): Promise<void> {
  for (const { type, source, createSource } of record.mounts) {
    if (type !== 'bind' || existsSync(source)) continue;
    if (!createSource)
      throw new InvalidParameter(
        `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      );
    mkdirSync(source, { recursive: true });
  }
  if (record.state.status === 'created') await fillVolumes(record, deps);
}

async function fillVolumes(record: ContainerRecord, deps: Needed): Promise<void> {
  const volumes = record.mounts.filter(({ copyUp }) => copyUp);
  if (volumes.length === 0) return;
  const rootfs = deps.snapshotter.mount(record.id);
  const filled = volumes.flatMap(({ name, destination }) => {
    const path = canonicalRootfsPath(rootfs, destination);
    return path === null ? [] : [{ name, path }];
  });
  if (filled.length === 0) return;
  await using mounted = await mountRootfs(rootfs, join(deps.paths.run(record.id), 'copy-up'));
  for (const { name, path } of filled) await deps.volumes.populate(name, join(mounted.path, path));
}
