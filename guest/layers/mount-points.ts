import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LowerView } from './lower-view.ts';

/**
 * Files and directories that a container's mounts need to exist. They are the engine's, not the container's:
 * neither a change nor part of a commit (dockerd keeps them in an "init" layer of their own).
 */
const directories: readonly string[] = ['dev', 'etc', 'proc', 'sys'];
const files: readonly string[] = ['etc/hostname', 'etc/hosts', 'etc/resolv.conf'];
/** Programs look for it to learn that they are in a container. */
const marker = '.dockerenv';

/**
 * Makes the files in a fresh upper directory where the image has none, or a link, which often leads nowhere, and
 * leaves no trace on `etc` itself.
 * The runtime would make them otherwise, and `docker diff` would show a changed `etc` in every container.
 */
export function makeMountPoints(upper: string, lower: LowerView): void {
  if (!lower.lookup(marker)) writeFileSync(join(upper, marker), '');
  const etc = lower.lookup('etc');
  const missing = files.filter((path) => isReplaced(lower, path));
  if (etc?.kind !== 'directory' || missing.length === 0) return;
  const at = join(upper, 'etc');
  mkdirSync(at);
  for (const path of missing) writeFileSync(join(upper, path), '');
  chownSync(at, etc.stat.uid, etc.stat.gid);
  chmodSync(at, etc.stat.mode & 0o7777);
  utimesSync(at, etc.stat.mtimeMs / 1000, etc.stat.mtimeMs / 1000);
}

/** Whether a container gets a file of the engine's in place of what the image has at the path. */
export function isReplaced(lower: LowerView, path: string): boolean {
  return files.includes(path) && [undefined, 'symlink'].includes(lower.lookup(path)?.kind);
}

/** Whether an empty file in an upper directory is only there to be mounted on. */
export function isMountPointFile(path: string, size: number): boolean {
  return size === 0 && (path === marker || files.includes(path));
}

/** Whether a directory, if the image lacks it, is made to be mounted on, or to hold what is. */
export function isMountPointDirectory(path: string): boolean {
  return directories.includes(path);
}

/** Whether such a directory has nothing else in an upper directory. */
export function holdsMountPointsOnly(upper: string, path: string): boolean {
  return readdirSync(join(upper, path)).every((name) => {
    const file = `${path}/${name}`;
    return isMountPointFile(file, lstatSync(join(upper, file)).size);
  });
}
