import { readdirSync, readlinkSync, type Stats } from 'node:fs';
import { InvalidParameter, NotFound } from '../../errors.ts';
import type { ConfinedRoot, OpenDirectory } from '../../layers/confined-root.ts';
import { byteString, readable } from '../../layers/tar-entry.ts';
import { BuildError } from '../build-error.ts';
import { patternRegExp } from '../dockerfile/ignore.ts';

/** The kernel's own limit (MAXSYMLINKS). */
const maxLinks = 40;

/** One file or directory that a source of COPY stands for. */
export interface Selected extends Disposable {
  /** As it was asked for, without links resolved; a byte string relative to the root. */
  readonly path: string;
  /** What it really is, its last links followed. */
  readonly stat: Stats;
  /** The directory itself, or the one that has the file. */
  readonly directory: OpenDirectory;
  /** Of a file in {@link directory}; null for a directory. */
  readonly name: string | null;
}

/** A source that is not there, in BuildKit's words. */
export class SourceMissing extends BuildError {
  constructor(source: string, cause: unknown) {
    const path = `/${readable(clean(byteString(source)))}`;
    super(`failed to compute cache key: failed to calculate checksum: ${JSON.stringify(path)}: not found`, {
      cause,
    });
  }
}

/**
 * What a source names in a tree: a path, or a pattern of any number of paths, in order. Links lead nowhere out of
 * the root. Throws SourceMissing for a path that is not there; a pattern may match nothing.
 */
export function select(root: ConfinedRoot, source: string): Selected[] {
  const path = clean(byteString(source));
  if (!/[*?[]/.test(path)) return [open(root, path, source)];
  return expand(root, path).map((match) => open(root, match, source));
}

/** Relative, and never above the root. */
export function clean(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function open(root: ConfinedRoot, path: string, source: string): Selected {
  try {
    return follow(root, path);
  } catch (error) {
    if (!(error instanceof NotFound || error instanceof InvalidParameter)) throw error;
    throw new SourceMissing(source, error);
  }
}

/** The last part's links too. Throws NotFound, or InvalidParameter. */
function follow(root: ConfinedRoot, path: string): Selected {
  let at = path;
  for (let links = 0; links <= maxLinks; links++) {
    const slash = at.lastIndexOf('/');
    const name = at.slice(slash + 1);
    const above = at.slice(0, Math.max(slash, 0));
    if (name === '' || name === '.' || name === '..') return directory(root, at, path);
    const parent = root.open(above);
    const stat = parent.stat(name);
    if (stat?.isSymbolicLink()) {
      const target = readlinkSync(parent.at(name), 'latin1');
      parent[Symbol.dispose]();
      at = target.startsWith('/') ? target.replace(/\/+$/, '') : `${above}/${target.replace(/\/+$/, '')}`;
      continue;
    }
    if (stat?.isDirectory() || !stat) {
      parent[Symbol.dispose]();
      if (!stat) throw new NotFound(`"${readable(path)}" does not exist`);
      return directory(root, at, path);
    }
    return { path, stat, directory: parent, name, [Symbol.dispose]: () => parent[Symbol.dispose]() };
  }
  throw new InvalidParameter(`too many symbolic links in "${readable(path)}"`);
}

function directory(root: ConfinedRoot, at: string, path: string): Selected {
  const opened = root.open(at);
  const stat = opened.stat('.')!;
  return { path, stat, directory: opened, name: null, [Symbol.dispose]: () => opened[Symbol.dispose]() };
}

/** Paths that match, in order of their bytes. */
function expand(root: ConfinedRoot, pattern: string): string[] {
  const parts = pattern.split('/');
  let matches = [''];
  for (const [i, part] of parts.entries()) {
    const test = patternRegExp(part);
    const isLast = i === parts.length - 1;
    matches = matches.flatMap((base) =>
      names(root, base)
        .filter((name) => test.test(name))
        .map((name) => (base === '' ? name : `${base}/${name}`)),
    );
    if (!isLast) matches = matches.filter((path) => isDirectory(root, path));
  }
  return matches;
}

function names(root: ConfinedRoot, path: string): string[] {
  using opened = root.open(path);
  return readdirSync(opened.at('.'), 'latin1').sort();
}

function isDirectory(root: ConfinedRoot, path: string): boolean {
  try {
    root.open(path)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}
