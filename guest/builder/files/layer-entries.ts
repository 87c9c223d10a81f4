import { createHash } from 'node:crypto';
import type { LowerView } from '../../layers/lower-view.ts';
import { readable, type TarEntry, tarEntry } from '../../layers/tar-entry.ts';
import { encodeHeader, tarEnd, tarPadding } from '../../layers/tar-writer.ts';
import { BuildError } from '../build-error.ts';
import type { Member } from './members.ts';

/** A member at its place in the stage. */
export interface Placed {
  /** The path is relative to the root. */
  readonly entry: TarEntry;
  readonly content: Member['content'];
  readonly hash: string | undefined;
  readonly file?: Member['file'];
}

export interface PlaceOptions {
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly mode: ((mode: number, isDirectory: boolean) => number) | null;
  /** Nothing is later than this. */
  readonly latestNs: bigint | null;
}

/** A member's entry under a path of the stage. */
export function place(member: Member, base: string, { owner, mode, latestNs }: PlaceOptions): Placed {
  const { entry } = member;
  const path = join(base, entry.path);
  const linkPath = entry.type === 'hardlink' ? join(base, entry.linkPath) : entry.linkPath;
  const isDirectory = entry.type === 'directory';
  const changed = mode && entry.type !== 'symlink' ? { mode: mode(entry.mode, isDirectory) & 0o7777 } : {};
  const mtimeNs = latestNs !== null && entry.mtimeNs > latestNs ? latestNs : entry.mtimeNs;
  return {
    entry: { ...entry, path, linkPath, ...owner, ...changed, mtimeNs },
    content: member.content,
    hash: member.hash,
    ...(member.file !== undefined && { file: member.file }),
  };
}

function join(base: string, path: string): string {
  if (path === '') return base;
  return base === '' ? path : `${base}/${path}`;
}

/** A directory that nobody sent. */
export function madeDirectory(path: string, options: PlaceOptions, now: Date): Placed {
  const mtimeNs = options.latestNs ?? BigInt(now.getTime()) * 1_000_000n;
  return {
    entry: tarEntry({ path, type: 'directory', mode: 0o755, mtimeNs, ...options.owner }),
    content: () => [],
    hash: undefined,
  };
}

/**
 * What decides whether a copy makes the same: every member's place, kind, owner, mode, link, attributes and content;
 * not its time, as BuildKit has it.
 */
export async function contentKey(members: AsyncIterable<Placed> | Iterable<Placed>): Promise<string> {
  const hash = createHash('sha256');
  for await (const { entry, content, hash: known } of members) {
    const { path, type, mode, uid, gid, linkPath, deviceMajor, deviceMinor } = entry;
    const xattrs = [...entry.xattrs]
      .map(([name, value]) => [name, Buffer.from(value).toString('hex')])
      .sort();
    const bytes = type === 'file' ? (known ?? (await hashOf(content()))) : '';
    hash.update(
      `${JSON.stringify([path, type, mode, uid, gid, linkPath, deviceMajor, deviceMinor, xattrs, bytes])}\n`,
    );
  }
  return hash.digest('hex');
}

async function hashOf(content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of content) hash.update(piece);
  return hash.digest('hex');
}

/**
 * A layer's tar of placed members. Throws BuildError where a file and a directory meet.
 *
 * @param atHand gets to know the file of the member that comes next, for as long as it is read
 */
export async function* layerTar(
  members: AsyncIterable<Placed> | Iterable<Placed>,
  lower: LowerView,
  atHand = new Map<string, string | Buffer>(),
): AsyncGenerator<Buffer> {
  for await (const { entry, content, file } of members) {
    if (entry.path === '') continue;
    const below = lower.lookup(entry.path);
    if (entry.type === 'directory' && below && below.kind !== 'directory')
      throw new BuildError(`cannot copy to non-directory: /${readable(entry.path)}`);
    if (entry.type !== 'directory' && below?.kind === 'directory')
      throw new BuildError(`cannot replace directory /${readable(entry.path)} with a file`);
    if (file !== undefined) atHand.set(entry.path, file);
    yield encodeHeader(entry);
    atHand.delete(entry.path);
    if (entry.type !== 'file' || entry.size === 0) continue;
    for await (const piece of content()) yield piece;
    yield tarPadding(entry.size);
  }
  yield tarEnd;
}
