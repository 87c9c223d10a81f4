import type { Dir } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { type Attributes, writeAttributes } from './attributes.ts';
import type { ListedEntry, OpenDirectory } from './handles.ts';
import { Packet } from './packets.ts';
import { response } from './protocol.ts';
import type { SharedTree } from './shared-tree.ts';

/** Entries whose attributes are asked for at once. */
const batch = 128;
/** A packet is full with this many bytes; an entry has at most 600 and sshfs takes 128 KiB. */
const fullBytes = 60 * 1024;

/** A listing of a directory, with `.` and `..`, both of which have its own attributes. */
export async function openDirectory(tree: SharedTree, parts: readonly Buffer[]): Promise<OpenDirectory> {
  const stats = await tree.stats(parts);
  const held = await tree.hold(parts);
  try {
    // A text of type Buffer | string in Node's types only; names come as bytes.
    const listing = await opendir(held.path() as unknown as string, {
      encoding: 'buffer' as BufferEncoding,
      bufferSize: batch,
    });
    return { held, listing, rest: dots(stats) };
  } catch (error) {
    held.release();
    throw error;
  }
}

/** The directory that holds the trees: made of nothing, and nobody's to change. */
export const attributesOfTrees: Attributes = {
  size: 0,
  uid: 0,
  gid: 0,
  mode: 0o40555,
  atimeMs: 0,
  mtimeMs: 0,
};

/** Its entries have its own attributes; who wants those of a tree asks for them. */
export function listTrees(trees: ReadonlyMap<string, SharedTree>): OpenDirectory {
  const stats = attributesOfTrees;
  const entries = [...trees.keys()].map((key) => ({ name: Buffer.from(key), stats }));
  return { held: null, listing: null, rest: [...dots(stats), ...entries] };
}

function dots(stats: Attributes): ListedEntry[] {
  return ['.', '..'].map((name) => ({ name: Buffer.from(name), stats }));
}

/** The next entries as an answer to `id`; null at the end. What vanishes while it is looked at is left out. */
export async function nextEntries(directory: OpenDirectory, id: number): Promise<Packet | null> {
  while (directory.rest.length === 0) {
    const names = directory.listing === null ? [] : await nextNames(directory.listing);
    if (names.length === 0) return null;
    const { held } = directory;
    const entries = await Promise.all(
      names.map((name) => lstat(held!.path(name)).then((stats) => ({ name, stats }), gone)),
    );
    directory.rest = entries.filter((entry) => entry !== null);
  }
  const packet = new Packet().byte(response.name).uint32(id);
  const countAt = packet.length;
  packet.uint32(0);
  let count = 0;
  while (directory.rest[count] !== undefined && packet.length < fullBytes) {
    const { name, stats } = directory.rest[count]!;
    // The second name is a line of `ls -l` for people; that of a client of ours is for nobody.
    packet.bytes(name).bytes(name);
    writeAttributes(packet, stats);
    count += 1;
  }
  packet.patchUint32(countAt, count);
  directory.rest = directory.rest.slice(count);
  return packet;
}

async function nextNames(listing: Dir): Promise<Buffer[]> {
  const names: Buffer[] = [];
  while (names.length < batch) {
    const entry = await listing.read();
    if (entry === null) break;
    names.push(entry.name as unknown as Buffer);
  }
  return names;
}

function gone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
