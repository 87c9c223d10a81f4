import { posix } from 'node:path';
import type { Digest } from '../../digest.ts';
import { ConfinedRoot } from '../../layers/confined-root.ts';
import type { LowerView } from '../../layers/lower-view.ts';
import { emptyLower } from '../../layers/lower-view.ts';
import { byteString, readable } from '../../layers/tar-entry.ts';
import { BuildError } from '../build-error.ts';
import type { IgnoreRules } from '../dockerfile/ignore.ts';
import { archiveMembers } from '../files/archive-members.ts';
import { resolveDestination } from '../files/destination.ts';
import { madeDirectory, type Placed, type PlaceOptions, place } from '../files/layer-entries.ts';
import { contextMembers, type Member, treeMembers } from '../files/members.ts';
import { clean, type Selected, SourceMissing, select } from '../files/select.ts';

/** Where the sources of one COPY or ADD are. */
export interface CopyTree {
  readonly directory: string;
  /** Of a build context: known hashes. Null for the files of a stage or an image. */
  readonly hashOf: ((path: string) => string | undefined) | null;
}

/** A file that is in no tree: a document of the Dockerfile, a download. */
export interface LooseFile {
  readonly name: string;
  readonly member: Member;
  /** On the disk, where it may be an archive. */
  readonly file: string | null;
}

export interface CopyWish {
  /** The classic builder's words, which also wants a file of every pattern. */
  readonly classic: boolean;
  /** `COPY` or `ADD`, for what is wrong. */
  readonly keyword: string;
  readonly tree: CopyTree | null;
  readonly sources: readonly string[];
  readonly loose: readonly LooseFile[];
  /** Absolute, with the slash at its end where one was written. */
  readonly destination: string;
  readonly parents: boolean;
  readonly excludes: IgnoreRules;
  readonly unpack: { readonly local: boolean; readonly loose: boolean };
  readonly link: boolean;
  readonly options: PlaceOptions;
  readonly clock: Date;
}

/**
 * Everything that a COPY or ADD puts into a stage, each member at its place, directories above first. May be iterated
 * again: it reads the same files. Throws BuildError.
 */
export async function* copied(wish: CopyWish, lower: LowerView): AsyncGenerator<Placed> {
  const below = wish.link ? emptyLower : lower;
  const made = new Set<string>();
  const makeAbove = function* (paths: readonly string[]): Generator<Placed> {
    for (const path of paths) {
      if (made.has(path)) continue;
      made.add(path);
      yield madeDirectory(path, wish.options, wish.clock);
    }
  };
  const root = wish.tree ? new ConfinedRoot(wish.tree.directory) : null;
  const all = wish.sources.map((source) => ({ source, selected: selectSource(wish, root!, source) }));
  try {
    const count = all.reduce((sum, { selected }) => sum + selected.length, 0) + wish.loose.length;
    if (wish.classic && count === 0)
      throw new BuildError(`${wish.keyword} failed: no source files were specified`);
    const several = count > 1 && !wish.destination.endsWith('/');
    if (several && wish.sources.length + wish.loose.length > 1) throw severalFiles(wish);
    for (const { source, selected } of all) {
      for (const one of selected) yield* placeSelected(one, { source, several }, wish, below, makeAbove);
    }
    for (const loose of wish.loose) {
      const unpack = wish.unpack.loose && loose.file ? await archiveMembers(loose.file) : null;
      if (unpack) yield* placeArchive(unpack, wish, below, makeAbove);
      else {
        const { path, missing } = fileDestination(wish.destination, loose.name, below);
        yield* makeAbove(missing);
        yield place(loose.member, path, wish.options);
      }
    }
  } finally {
    for (const { selected } of all) for (const one of selected) one[Symbol.dispose]();
    root?.[Symbol.dispose]();
  }
}

function selectSource({ classic, keyword, tree }: CopyWish, root: ConfinedRoot, source: string): Selected[] {
  try {
    return select(root, source);
  } catch (error) {
    if (!classic || !(error instanceof SourceMissing)) throw error;
    const where = tree?.hashOf ? 'file not found in build context or excluded by .dockerignore: ' : '';
    const path = tree?.hashOf ? source : source.replace(/^\/+/, '');
    throw new BuildError(`${keyword} failed: ${where}stat ${path}: file does not exist`, { cause: error });
  }
}

function severalFiles({ keyword }: CopyWish): BuildError {
  return new BuildError(
    `When using ${keyword} with more than one source file, the destination must be a directory and end with a /`,
  );
}

type MakeAbove = (paths: readonly string[]) => Generator<Placed>;

async function* placeSelected(
  selected: Selected,
  { source, several }: { readonly source: string; readonly several: boolean },
  wish: CopyWish,
  lower: LowerView,
  makeAbove: MakeAbove,
): AsyncGenerator<Placed> {
  const { hashOf } = wish.tree!;
  const destination = wish.parents ? withParents(wish.destination, source, selected.path) : wish.destination;
  if (wish.unpack.local && selected.name !== null) {
    const archive = await archiveMembers(selected.directory.at(selected.name));
    if (archive) {
      yield* placeArchive(archive, wish, lower, makeAbove);
      return;
    }
  }
  const isFile = selected.name !== null;
  // Archives that are unpacked, and what is in directories, can share a destination.
  if (isFile && several) throw severalFiles(wish);
  const name = selected.path.slice(selected.path.lastIndexOf('/') + 1);
  const target = isFile
    ? fileDestination(destination, name, lower)
    : directoryDestination(destination, lower);
  const members = hashOf
    ? contextMembers(selected, wish.excludes, hashOf)
    : treeMembers(selected, wish.excludes);
  let first = true;
  for await (const member of members) {
    if (isFile && wish.excludes.excludes(readable(name))) return;
    // What is in a directory is copied, not the directory: one that is there keeps its own owner and mode.
    const isMade = !isFile && !wish.parents;
    if (first) yield* makeAbove(isMade && !target.exists ? [...target.missing, target.path] : target.missing);
    first = false;
    if (!isFile && member.entry.path === '' && (isMade || target.exists)) continue;
    const named = isFile ? { ...member, entry: { ...member.entry, path: '' } } : member;
    yield place(named, target.path, wish.options);
  }
}

async function* placeArchive(
  members: AsyncIterable<Member>,
  wish: CopyWish,
  lower: LowerView,
  makeAbove: MakeAbove,
): AsyncGenerator<Placed> {
  const { path, missing, kind } = resolveDestination(lower, byteString(wish.destination));
  if (kind === 'file') throw new BuildError(`cannot copy to non-directory: ${wish.destination}`);
  yield* makeAbove(kind === 'nothing' && path !== '' ? [...missing, path] : missing);
  for await (const member of members) yield place(member, path, wish.options);
}

interface Target {
  readonly path: string;
  readonly missing: readonly string[];
  readonly exists: boolean;
}

function fileDestination(destination: string, name: string, lower: LowerView): Target {
  const bytes = byteString(destination);
  const at = resolveDestination(lower, bytes);
  if (!destination.endsWith('/') && at.kind !== 'directory') return { ...at, exists: at.kind === 'file' };
  if (at.kind === 'file') throw new BuildError(`cannot copy to non-directory: ${destination}`);
  const inside = resolveDestination(lower, `${bytes}/${name}`);
  if (inside.kind === 'directory')
    throw new BuildError(`cannot replace directory ${destination}${readable(name)} with a file`);
  return { ...inside, exists: inside.kind !== 'nothing' };
}

function directoryDestination(destination: string, lower: LowerView): Target {
  const at = resolveDestination(lower, byteString(destination));
  if (at.kind === 'file') throw new BuildError(`cannot copy to non-directory: ${destination}`);
  return { ...at, exists: at.kind === 'directory' };
}

/** `--parents`: what is after `./`, or all of the source's path, is kept. */
function withParents(destination: string, source: string, path: string): string {
  const pivot = source.indexOf('/./');
  const base = pivot < 0 ? '' : clean(byteString(source.slice(0, pivot)));
  const own = readable(base === '' ? path : path.slice(base.length + 1));
  return posix.join(destination, own);
}

/** What tells one copy from another as long as its sources are known by the chain they are in. */
export function copyIdentity(wish: CopyWish, source: Digest | null, words: readonly unknown[]): unknown[] {
  const { sources, destination, parents, link, options } = wish;
  return [source, sources, destination, parents, link, options.owner, `${options.latestNs}`, ...words];
}
