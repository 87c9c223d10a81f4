import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Mount } from '../../layers/snapshotter.ts';

const maxLinks = 40;
const maxBytes = 4 * 1024 * 1024;

/**
 * Text of a file in a root file system that is not mounted here, by overlay's own rules: upper directory
 * first, a whiteout hides what is below. What is not a regular file, is too large or does not exist is ''.
 * (Opaque directories over a lower `/etc` are not looked for.)
 */
export function readRootfsFile(mount: Mount, path: string): string {
  const found = walk(mount, path);
  return found ? readRegular(found.file) : '';
}

/** The path without links, as seen in the root; null when nothing is there. Links never lead outside. */
export function canonicalRootfsPath(mount: Mount, path: string): string | null {
  return walk(mount, path)?.path ?? null;
}

/**
 * Where a mount for the path has to be made: through a link that leads nowhere the runtime makes nothing. What is
 * missing is taken for directories, as by others; a path without such a link, or with a circle, stays as it is.
 */
export function behindDanglingLinks(mount: Mount, path: string): string {
  let reached: string | null = null;
  walk(mount, path, (missing) => {
    reached = missing;
  });
  return reached ?? path;
}

/** Whether there is a directory at the path, links followed. */
export function isRootfsDirectory(mount: Mount, path: string): boolean {
  const found = walk(mount, path);
  return found !== null && lstatSync(found.file).isDirectory();
}

/** `onDangling` hears of the path without links when a link leads to something that is missing. */
function walk(
  mount: Mount,
  path: string,
  onDangling: (path: string) => void = () => {},
): { readonly path: string; readonly file: string } | null {
  const directories = rootDirectories(mount);
  let parts = split(path);
  let done: string[] = [];
  let file = directories[0]!;
  for (let links = 0; parts.length > 0; ) {
    const [part, ...rest] = parts;
    parts = rest;
    if (part === '.') continue;
    if (part === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const found = lookup(directories, [...done, part!].join('/'));
    if (!found) {
      if (links > 0) onDangling(posix.join('/', ...done, part!, ...parts));
      return null;
    }
    if (found.target === null) {
      done = [...done, part!];
      file = found.file;
      continue;
    }
    if (++links > maxLinks) return null;
    if (found.target.startsWith('/')) done = [];
    parts = [...split(found.target), ...parts];
  }
  return { path: `/${done.join('/')}`, file };
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

/** Top first. A mount that is no overlay is its source directory. */
function rootDirectories({ type, source, options, cwd = '/' }: Mount): string[] {
  if (type !== 'overlay') return [source];
  const value = (name: string) =>
    options
      .flatMap((option) => option.split(','))
      .find((option) => option.startsWith(`${name}=`))
      ?.slice(name.length + 1);
  const lower = value('lowerdir')?.split(':') ?? [];
  const upper = value('upperdir');
  return [...(upper === undefined ? [] : [upper]), ...lower].map((directory) => join(cwd, directory));
}

function lookup(
  directories: readonly string[],
  path: string,
): { file: string; target: string | null } | null {
  for (const directory of directories) {
    const file = join(directory, path);
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (!stat) continue;
    if (stat.isCharacterDevice() && stat.rdev === 0) return null;
    return { file, target: stat.isSymbolicLink() ? readlinkSync(file) : null };
  }
  return null;
}

function readRegular(file: string): string {
  // A running container may swap the file for a link or a FIFO at any moment.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= maxBytes ? readFileSync(fd, 'utf8') : '';
  } finally {
    closeSync(fd);
  }
}
