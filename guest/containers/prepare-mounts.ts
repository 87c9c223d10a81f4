import type { ContainerRecord } from './container-record.ts';
import type { Dependencies } from './dependencies.ts';
import { hideImage, showImage } from './image-mounts.ts';
import { hideSubpath, showSubpath } from './subpaths.ts';

/**
 * Before a start: what `-v` binds is made where it is missing, and images are mounted, and volumes that are more
 * than a directory. What was done until an error stays until {@link releaseMounts}.
 */
export async function prepareMounts(
  { id, mounts }: ContainerRecord,
  deps: Pick<Dependencies, 'volumes' | 'paths' | 'snapshotter' | 'images' | 'bindSources'>,
): Promise<void> {
  const { volumes, paths, bindSources } = deps;
  for (const mount of mounts) {
    if (mount.type === 'image') await showImage(mount, deps);
    if (mount.type === 'volume') await volumes.mount(mount.name, { containerId: id, ...mount });
    if (mount.subpath) await showSubpath(id, mount, paths);
    if (mount.type === 'bind') await bindSources.prepare(mount);
  }
}

/**
 * For a container that ran on without the engine: its volumes are in use, and others that start later are to
 * see the same files. (Not those of a tmpfs where the engine had a mount namespace of its own: that mount is
 * gone with it, and the container alone has it.)
 */
export async function remountVolumes(
  { id, mounts }: ContainerRecord,
  { volumes, log }: Pick<Dependencies, 'volumes' | 'log'>,
): Promise<void> {
  for (const mount of mounts.filter(({ type }) => type === 'volume')) {
    await volumes
      .mount(mount.name, { containerId: id, ...mount }, { again: true })
      .catch((error: unknown) => log.warn({ container: id, volume: mount.name, error }, 'cannot mount'));
  }
}

/** After a run, and after a start that failed. Idempotent. */
export async function releaseMounts(
  { id, mounts }: ContainerRecord,
  { volumes, paths }: Pick<Dependencies, 'volumes' | 'paths'>,
): Promise<void> {
  for (const mount of mounts) {
    if (mount.subpath) await hideSubpath(id, mount, paths);
    if (mount.type === 'image') await hideImage(mount);
    if (mount.type === 'volume') await volumes.unmount(mount.name, id);
  }
}
