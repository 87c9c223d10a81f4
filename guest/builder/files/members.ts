import { closeSync, constants, openSync, readdirSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { Internal } from '../../errors.ts';
import type { OpenDirectory } from '../../layers/confined-root.ts';
import { type EntryType, readable, type TarEntry, tarEntry } from '../../layers/tar-entry.ts';
import { treeEvents } from '../../layers/tar-tree.ts';
import type { IgnoreRules } from '../dockerfile/ignore.ts';
import type { Selected } from './select.ts';

/** A file of a tree, with its content as long as it is the current one. */
export interface Member {
  /** The path is relative to the selection; empty for a directory that is the selection itself. */
  readonly entry: TarEntry;
  /** Pieces of a file. */
  content(): AsyncIterable<Buffer> | Iterable<Buffer>;
  /** sha256 of the content (hex), where it is known. */
  readonly hash: string | undefined;
  /** Where the bytes are on the host, in a file that nobody writes to any more. */
  readonly file?: string | Buffer;
}

const pieceBytes = 256 * 1024;

/**
 * The members of a selection in a build context: plain files of our own, read by Node, without attributes and hard
 * links, which clients do not send.
 */
export function* contextMembers(
  selected: Selected,
  excluded: IgnoreRules,
  hashOf: (path: string) => string | undefined,
): Generator<Member> {
  if (selected.name !== null) {
    yield* fileMember(selected.directory, selected.name, {
      path: selected.name,
      at: selected.path,
      stat: selected.stat,
      hashOf,
    });
    return;
  }
  yield { entry: entryOf('', selected.stat, ''), content: () => [], hash: undefined };
  yield* below(selected.directory, '', selected.path, excluded, hashOf);
}

function* below(
  directory: OpenDirectory,
  path: string,
  at: string,
  excluded: IgnoreRules,
  hashOf: (path: string) => string | undefined,
): Generator<Member> {
  for (const name of readdirSync(directory.at('.'), 'latin1').sort()) {
    const own = path === '' ? name : `${path}/${name}`;
    const place = at === '' ? name : `${at}/${name}`;
    const stat = directory.stat(name);
    if (!stat) continue;
    const isExcluded = excluded.excludes(readable(own));
    if (isExcluded && (!stat.isDirectory() || excluded.excludesAll(readable(own)))) continue;
    if (!stat.isDirectory()) {
      yield* fileMember(directory, name, { path: own, at: place, stat, hashOf });
      continue;
    }
    if (!isExcluded) yield { entry: entryOf(own, stat, ''), content: () => [], hash: undefined };
    using child = directory.child(name);
    yield* below(child, own, place, excluded, hashOf);
  }
}

function* fileMember(
  directory: OpenDirectory,
  name: string,
  file: {
    readonly path: string;
    readonly at: string;
    readonly stat: Stats;
    readonly hashOf: (path: string) => string | undefined;
  },
): Generator<Member> {
  const { path, at, stat } = file;
  // Sockets are in no archive.
  if (stat.isSocket()) return;
  const link = stat.isSymbolicLink() ? readlinkSync(directory.at(name), 'latin1') : '';
  yield {
    entry: entryOf(path, stat, link),
    content: () => (stat.isFile() ? pieces(directory, name, stat.size) : []),
    hash: stat.isFile() ? file.hashOf(at) : undefined,
    ...(stat.isFile() && { file: directory.at(name) }),
  };
}

function* pieces(directory: OpenDirectory, name: string, size: number): Generator<Buffer> {
  const fd = openSync(directory.at(name), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let left = size; left > 0; ) {
      const buffer = Buffer.allocUnsafe(Math.min(left, pieceBytes));
      const length = readSync(fd, buffer);
      if (length === 0) throw new Internal(`"${readable(name)}" is shorter than it was`);
      left -= length;
      yield length === buffer.length ? buffer : buffer.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

function entryOf(path: string, stat: Stats, linkPath: string): TarEntry {
  const type = typeOf(stat);
  return tarEntry({
    path,
    type,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: type === 'file' ? stat.size : 0,
    // Whole microseconds: what a double holds without noise.
    mtimeNs: BigInt(Math.round(stat.mtimeMs * 1000)) * 1000n,
    linkPath,
    deviceMajor: Number((BigInt(stat.rdev) >> 8n) & 0xfffn),
    deviceMinor: Number((BigInt(stat.rdev) & 0xffn) | ((BigInt(stat.rdev) >> 12n) & 0xfff00n)),
  });
}

function typeOf(stat: Stats): EntryType {
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : 'file';
}

/** The members of a selection in a stage or an image: with attributes and hard links, which Node cannot read. */
export async function* treeMembers(selected: Selected, excluded: IgnoreRules): AsyncGenerator<Member> {
  const { directory, name } = selected;
  if (name === null) yield { entry: entryOf('', selected.stat, ''), content: () => [], hash: undefined };
  const events = treeEvents(directory.processPath, name === null ? {} : { names: [name] });
  /** First names that were left out, for the links to them that were not. */
  const left = new Set<string>();
  for (let next = await events.next(); !next.done; next = await events.next()) {
    if (next.value.kind !== 'entry') continue;
    const entry = { ...next.value.entry, path: next.value.entry.path.replace(/\/$/, '') };
    if (excluded.excludes(readable(entry.path))) {
      left.add(entry.path);
      continue;
    }
    if (entry.type === 'hardlink' && left.has(entry.linkPath)) {
      const whole = directory.stat(entry.path)!;
      yield {
        entry: { ...entry, type: 'file', linkPath: '', size: whole.size },
        content: () => pieces(directory, entry.path, whole.size),
        hash: undefined,
      };
      continue;
    }
    yield { entry, content: () => payload(events), hash: undefined };
  }
}

async function* payload(events: ReturnType<typeof treeEvents>): AsyncGenerator<Buffer> {
  for (let next = await events.next(); !next.done; next = await events.next()) {
    if (next.value.kind === 'done') return;
    if (next.value.kind === 'payload') yield next.value.bytes;
  }
}
