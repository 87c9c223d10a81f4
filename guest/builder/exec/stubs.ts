import { readdirSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { ConfinedRoot, type OpenDirectory } from '../../layers/confined-root.ts';
import type { LowerView } from '../../layers/lower-view.ts';
import { isReplaced } from '../../layers/mount-points.ts';
import { byteString, type TarEntry } from '../../layers/tar-entry.ts';
import { resolveDestination } from '../files/destination.ts';

/** What the runtime makes to mount on. */
const always = ['/proc', '/sys', '/dev', '/etc/hosts', '/etc/resolv.conf', '/etc/hostname', '/.dockerenv'];

/** Places that are only there to be mounted on: they belong to no layer. */
export interface Stubs {
  /** Files and directories that the parent has not, deepest first. */
  readonly paths: readonly string[];
  /** Directories of the parent whose time changes by that. */
  readonly touched: ReadonlySet<string>;
}

export function findStubs(lower: LowerView, targets: readonly string[]): Stubs {
  const paths = new Set<string>();
  for (const target of [...always, ...targets]) {
    const own = byteString(target.slice(1));
    if (isReplaced(lower, own)) {
      paths.add(own);
      continue;
    }
    const { path, kind, missing } = resolveDestination(lower, byteString(target));
    if (kind !== 'nothing') continue;
    for (const one of [...missing, path]) paths.add(one);
  }
  const sorted = [...paths].sort((a, b) => b.split('/').length - a.split('/').length);
  const touched = sorted.map((path) => path.slice(0, Math.max(path.lastIndexOf('/'), 0)));
  return { paths: sorted, touched: new Set(touched) };
}

/** Removes those that are still empty from a step's own files, whatever the step made of them. */
export function removeStubs(upper: string, { paths }: Stubs): void {
  using root = new ConfinedRoot(upper);
  for (const path of paths) {
    using parent = openPlain(root, path.split('/').slice(0, -1));
    const name = path.slice(path.lastIndexOf('/') + 1);
    const stat = parent?.stat(name);
    if (!parent || !stat) continue;
    if (stat.isDirectory()) {
      using directory = parent.child(name);
      if (readdirSync(directory.at('.')).length === 0) rmdirSync(parent.at(name));
    } else if (stat.isFile() && stat.size === 0) unlinkSync(parent.at(name));
  }
}

/** Null when something on the way is missing or no directory. */
function openPlain(root: ConfinedRoot, names: readonly string[]): OpenDirectory | null {
  let at = root.open('');
  if (names.length === 0) return at;
  // A descriptor of its own each.
  for (const name of names) {
    const below: Stats | undefined = at.stat(name);
    const next: OpenDirectory | null = below?.isDirectory() ? at.child(name) : null;
    at[Symbol.dispose]();
    if (!next) return null;
    at = next;
  }
  return at;
}

/** A directory that overlay copied up, and that is as it was below. */
export function isUnchanged(entry: TarEntry, lower: LowerView, touched: ReadonlySet<string>): boolean {
  if (entry.type !== 'directory') return false;
  const path = entry.path.replace(/\/$/, '');
  const below = lower.lookup(path);
  if (below?.kind !== 'directory') return false;
  const { stat } = below;
  const same = (stat.mode & 0o7777) === entry.mode && stat.uid === entry.uid && stat.gid === entry.gid;
  // A time that was set through a double has lost some nanoseconds.
  const sameTime = Math.abs(Number(entry.mtimeNs / 1000n) - stat.mtimeMs * 1000) < 10;
  return same && (sameTime || touched.has(path));
}
