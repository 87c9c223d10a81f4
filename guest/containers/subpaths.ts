import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, posix } from 'node:path';
import { InvalidParameter, NotFound } from '../errors.ts';
import { run, tryRun } from '../host/exec.ts';
import { makeDirectories } from '../host/make-directories.ts';
import { ConfinedRoot } from '../layers/confined-root.ts';
import { byteString } from '../layers/tar-entry.ts';
import type { EnginePaths } from '../store/paths.ts';
import type { RecordedMount } from './container-record.ts';
import { refuseEscape } from './subpath-escape.ts';

/** open(2): a descriptor that only names a file. Node has no word for it. */
const O_PATH = 0o10000000;

/** What is bound into a container: a volume's directory, or the place where a path in it is shown. */
export function sourceOf(id: string, mount: RecordedMount, paths: EnginePaths): string {
  return mount.subpath ? paths.subpath(id, mount.destination) : mount.source;
}

/**
 * Shows `volume-subpath` of a mount at its place in the engine's mount namespace, which monitors inherit.
 * Other containers may change the volume under our hands: links are resolved inside it, and what was found
 * is bound by its descriptor, not by its name. Throws NotFound when there is no such path, InvalidParameter
 * when something on the way to it is no directory.
 */
export async function showSubpath(id: string, mount: RecordedMount, paths: EnginePaths): Promise<void> {
  const place = sourceOf(id, mount, paths);
  await hideSubpath(id, mount, paths);
  makeDirectories(dirname(place), { mode: 0o700 });
  using root = new ConfinedRoot(mount.source);
  const found = openInside(root, mount);
  try {
    if (found.isDirectory) mkdirSync(place);
    else writeFileSync(place, '');
    // busybox: util-linux would look for the source's name and bind that.
    await run('busybox', ['mount', '-o', 'bind', '/proc/self/fd/3', place], { inheritFd: found.fd });
  } finally {
    closeSync(found.fd);
  }
}

/** Idempotent. Deletes nothing that has content: if it is still mounted, what is there is the volume's. */
export async function hideSubpath(id: string, mount: RecordedMount, paths: EnginePaths): Promise<void> {
  const place = sourceOf(id, mount, paths);
  if (!existsSync(place)) return;
  await tryRun('umount', ['-l', place]);
  if (statSync(place).isDirectory()) rmdirSync(place);
  else if (statSync(place).size === 0) unlinkSync(place);
}

function openInside(root: ConfinedRoot, { subpath = '', name, source }: RecordedMount) {
  const path = byteString(subpath);
  try {
    refuseEscape(source, subpath);
    using parent = root.open(posix.dirname(path));
    const last = posix.basename(path);
    const isFile = parent.stat(last)?.isFile() ?? false;
    if (isFile) return { isDirectory: false, fd: openSync(parent.at(last), O_PATH | constants.O_NOFOLLOW) };
    using directory = root.open(path);
    return { isDirectory: true, fd: openSync(directory.at('.'), O_PATH) };
  } catch (cause) {
    const what = `cannot access path "${subpath}" of volume "${name}"`;
    // docker run knows these words, and ends with the 127 of a program that is not there.
    if (cause instanceof NotFound) throw new NotFound(`${what}: no such file or directory`, { cause });
    if (cause instanceof InvalidParameter) throw new InvalidParameter(`${what}: ${cause.message}`, { cause });
    throw cause;
  }
}
