import { existsSync, rmdirSync } from 'node:fs';
import { InvalidParameter } from '../errors.ts';
import { run, tryRun } from '../host/exec.ts';
import { makeDirectories } from '../host/make-directories.ts';
import type { RecordedMount } from './container-record.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * `--mount type=image`: shows an image's files, read-only, at the mount's source in the engine's mount
 * namespace, which monitors inherit. Throws NotFound when the image is gone, InvalidParameter when it is empty.
 */
export async function showImage(
  mount: RecordedMount,
  { snapshotter, images }: Pick<Dependencies, 'snapshotter' | 'images'>,
): Promise<void> {
  await hideImage(mount);
  const { chainId } = images.resolve(mount.name);
  if (!chainId) throw new InvalidParameter(`cannot mount image ${mount.name}: it has no files`);
  const { type, source, options, cwd = '/' } = snapshotter.view(chainId);
  makeDirectories(mount.source, { mode: 0o700 });
  const words = ['-i', '-t', type, '-o', options.join(','), source, mount.source];
  await run('busybox', ['mount', ...words], { cwd });
}

/** Idempotent. Deletes nothing: what is still mounted is not empty. */
export async function hideImage({ source }: RecordedMount): Promise<void> {
  if (!existsSync(source)) return;
  await tryRun('umount', ['-l', source]);
  rmdirSync(source);
}
