import { InvalidParameter, NotFound } from '../errors.ts';
import type { HostConfig } from '../schema/container.ts';
import type { RecordedMount } from './container-record.ts';
import type { Neighbours } from './dependencies.ts';

/**
 * `--volumes-from container[:ro|rw]`: its volumes and binds, too, at the same places, unless something else was
 * asked for there; what is read-only there stays so. Throws InvalidParameter (for a container that does not
 * exist, too, as with dockerd: `docker run` would take the image for missing).
 */
export function withVolumesFrom<Mount extends RecordedMount>(
  own: readonly Mount[],
  { VolumesFrom }: Pick<HostConfig, 'VolumesFrom'>,
  neighbours: Neighbours,
): (Mount | RecordedMount)[] {
  const inherited = (VolumesFrom ?? []).flatMap((text) => {
    const { container, readonly } = parse(text);
    return mountsOf(container, neighbours).map((mount) => ({
      ...mount,
      readonly: mount.readonly || readonly,
      // As with dockerd: what was said of it there is not said again.
      mode: '',
      copyUp: false,
    }));
  });
  const places = new Map<string, Mount | RecordedMount>();
  for (const mount of inherited) places.set(mount.destination, mount);
  // The image asks for a volume where nobody gives one.
  const wanted = own.filter((mount) => !(isOfImage(mount) && places.has(mount.destination)));
  for (const mount of wanted) places.set(mount.destination, mount);
  return [...places.values()];
}

function isOfImage({ anonymous, mode }: RecordedMount): boolean {
  return anonymous && mode === '';
}

function parse(text: string): { container: string; readonly: boolean } {
  const [container = '', mode = '', ...rest] = text.split(':');
  const words = mode.split(',').filter((word) => word !== '');
  if (container === '' || rest.length > 0) throw new InvalidParameter(`invalid volumes-from: ${text}`);
  if (!words.every((word) => ['ro', 'rw', 'z', 'Z'].includes(word)))
    throw new InvalidParameter(`invalid mode: ${mode}`);
  return { container, readonly: words.includes('ro') };
}

function mountsOf(container: string, neighbours: Neighbours): readonly RecordedMount[] {
  try {
    return neighbours.recordOf(container).mounts.filter(({ type }) => type !== 'tmpfs');
  } catch (error) {
    throw error instanceof NotFound ? new InvalidParameter(error.message, { cause: error }) : error;
  }
}
