import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { LowerView } from './lower-view.ts';
import { holdsMountPointsOnly, isMountPointDirectory, isMountPointFile } from './mount-points.ts';
import { fsPath, readable, type TarEntry, tarEntry } from './tar-entry.ts';
import { entriesToTar, treeEvents } from './tar-tree.ts';
import { isOverlayXattr, opaqueMarker, opaqueXattr, whiteoutPrefix } from './whiteout.ts';

/** Reading a snapshot's upper directory: what a container changed. */

/** One changed path, as `docker diff` lists it. */
export interface Change {
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

/** Sum of file sizes; hard links count once. */
export async function usageOf(
  upper: string,
  { alone = false }: { readonly alone?: boolean } = {},
): Promise<number> {
  const seen = new Set<number>();
  let bytes = 0;
  for await (const { stat } of walk(upper, '')) {
    if (!stat.isFile() || seen.has(stat.ino) || (alone && stat.nlink > 1)) continue;
    if (stat.nlink > 1) seen.add(stat.ino);
    bytes += stat.size;
  }
  return bytes;
}

/** What to make of an entry of a diff, whiteouts apart; null leaves it out. */
export type AdjustEntry = (entry: TarEntry, options: { readonly opaque: boolean }) => TarEntry | null;

/** As a layer tar: overlay's marks become OCI whiteouts. */
export function diffOf(upper: string, lower: LowerView, adjust: AdjustEntry = (entry) => entry): Readable {
  return entriesToTar(treeEvents(upper), (original) => {
    const entry = isWhiteout(original) ? original : adjust(original, { opaque: isOpaque(original) });
    if (!entry) return [];
    if (entry.type === 'file' && isMountPointFile(entry.path, entry.size)) return [];
    const path = entry.path.replace(/\/$/, '');
    const isForMounts = entry.type === 'directory' && isMountPointDirectory(path) && !lower.lookup(path);
    if (isForMounts && holdsMountPointsOnly(upper, path)) return [];
    const directory = path.slice(0, path.lastIndexOf('/') + 1);
    if (isWhiteout(entry)) {
      return [whiteout(entry, `${directory}${whiteoutPrefix}${entry.path.slice(directory.length)}`)];
    }
    const xattrs = new Map([...entry.xattrs].filter(([name]) => !isOverlayXattr(name)));
    const plain = { ...entry, xattrs };
    return isOpaque(entry) ? [plain, whiteout(entry, `${entry.path}${opaqueMarker}`)] : [plain];
  });
}

function whiteout({ mtimeNs }: TarEntry, path: string): TarEntry {
  return tarEntry({ path, type: 'file', mode: 0, mtimeNs });
}

function isWhiteout({ type, deviceMajor, deviceMinor }: TarEntry): boolean {
  return type === 'character' && deviceMajor === 0 && deviceMinor === 0;
}

function isOpaque({ type, xattrs }: TarEntry): boolean {
  return type === 'directory' && xattrs.get(opaqueXattr)?.[0] === 'y'.charCodeAt(0);
}

/**
 * As `docker diff` has it: sorted; a directory above a change is listed as modified, one that overlay
 * merely copied up is not.
 */
export async function changesOf(upper: string, lower: LowerView): Promise<Change[]> {
  const changes = new Map<string, Change['kind']>();
  const kept: string[] = [];
  for await (const { path, stat } of walk(upper, '')) {
    const below = lower.lookup(path);
    if (!below && stat.isDirectory() && isMountPointDirectory(path)) continue;
    if ((!below || below.kind === 'symlink') && stat.isFile() && isMountPointFile(path, stat.size)) continue;
    if (stat.isCharacterDevice() && stat.rdev === 0) {
      if (below) changes.set(path, 'deleted');
    } else if (!below) changes.set(path, 'added');
    else {
      const isDirectory = stat.isDirectory() && below.kind === 'directory';
      if (isDirectory) kept.push(path);
      if (!isDirectory || !sameDirectory(stat, below.stat)) changes.set(path, 'modified');
    }
  }
  for (const path of await opaqueAmong(upper, kept)) {
    for (const name of lower.list(path)) {
      const child = `${path}/${name}`;
      if (!(await exists(`${upper}/${child}`))) changes.set(child, 'deleted');
    }
  }
  for (const path of [...changes.keys()]) {
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    if (parent !== '' && changes.get(path) !== 'modified' && !changes.has(parent))
      changes.set(parent, 'modified');
  }
  return [...changes.keys()].sort().map((path) => ({ path: `/${readable(path)}`, kind: changes.get(path)! }));
}

function sameDirectory(a: Stats, b: Stats): boolean {
  // A time that was set through a double has lost some nanoseconds.
  const sameTime = Math.abs(a.mtimeMs - b.mtimeMs) < 0.01;
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && sameTime;
}

async function opaqueAmong(upper: string, directories: readonly string[]): Promise<string[]> {
  if (directories.length === 0) return [];
  const opaque: string[] = [];
  for await (const event of treeEvents(upper, { names: directories, flat: true })) {
    if (event.kind === 'entry' && isOpaque(event.entry)) opaque.push(event.entry.path);
  }
  // Overlay marks only the topmost of new directories.
  return directories.filter((path) => opaque.some((above) => `${path}/`.startsWith(above)));
}

async function exists(path: string): Promise<boolean> {
  return lstat(fsPath(path)).then(
    () => true,
    () => false,
  );
}

/** Everything below, parents first. Files that vanish meanwhile are left out: the container may run. */
async function* walk(root: string, path: string): AsyncGenerator<{ path: string; stat: Stats }> {
  const at = path === '' ? root : `${root}/${path}`;
  const names = await readdir(fsPath(at), 'latin1').catch(ignoreGone<string[]>([]));
  for (const name of names) {
    const child = path === '' ? name : `${path}/${name}`;
    const stat = await lstat(fsPath(`${root}/${child}`)).catch(ignoreGone<null>(null));
    if (!stat) continue;
    yield { path: child, stat };
    if (stat.isDirectory()) yield* walk(root, child);
  }
}

function ignoreGone<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
