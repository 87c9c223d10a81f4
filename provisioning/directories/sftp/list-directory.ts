import type { Dir } from 'node:fs';
import { type Attributes, writeAttributes } from './attributes.ts';
import { listingBatch } from './file-calls.ts';
import type { ListedEntry, OpenDirectory } from './handles.ts';
import type { HeldDirectory } from './held-directories.ts';
import { Packet } from './packets.ts';
import { response } from './protocol.ts';
import type { SharedTree } from './shared-tree.ts';

/** A packet is full with this many bytes; an entry has at most 600 and sshfs takes 128 KiB. */
const fullBytes = 60 * 1024;

/** A listing of a directory, with `.` and `..`, both of which have its own attributes. */
export async function openDirectory(tree: SharedTree, parts: readonly Buffer[]): Promise<OpenDirectory> {
  const stats = await tree.stats(parts);
  const held = await tree.hold(parts);
  try {
    const listing = await held.calls.opendir(held.path());
    return { held, listing, rest: dots(stats), before: Promise.resolve() };
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
  return { held: null, listing: null, rest: [...dots(stats), ...entries], before: Promise.resolve() };
}

function dots(stats: Attributes): ListedEntry[] {
  return ['.', '..'].map((name) => ({ name: Buffer.from(name), stats }));
}

/**
 * The next entries as an answer to `id`, as many as a packet takes; null at the end. What vanishes while it is looked at is
 * left out. Of two at once for one listing, the second waits for the first.
 */
export function nextEntries(directory: OpenDirectory, id: number): Promise<Packet | null> {
  const next = directory.before.then(() => readNext(directory, id));
  directory.before = next.catch(() => {});
  return next;
}

async function readNext(directory: OpenDirectory, id: number): Promise<Packet | null> {
  const packet = new Packet().byte(response.name).uint32(id);
  const countAt = packet.length;
  packet.uint32(0);
  let count = 0;
  while (packet.length < fullBytes) {
    if (directory.rest.length === 0) directory.rest = await nextBatch(directory);
    if (directory.rest.length === 0) break;
    let taken = 0;
    while (directory.rest[taken] !== undefined && packet.length < fullBytes) {
      const { name, stats } = directory.rest[taken]!;
      // The second name is a line of `ls -l` for people; that of a client of ours is for nobody.
      packet.bytes(name).bytes(name);
      writeAttributes(packet, stats);
      taken += 1;
    }
    directory.rest = directory.rest.slice(taken);
    count += taken;
  }
  if (count === 0) return null;
  packet.patchUint32(countAt, count);
  return packet;
}

/** None when there are no more. */
async function nextBatch({ held, listing }: OpenDirectory): Promise<ListedEntry[]> {
  for (;;) {
    const names = listing === null ? [] : await nextNames(held!, listing);
    if (names.length === 0) return [];
    const entries = await Promise.all(names.map((name) => entryOf(held!, name)));
    const there = entries.filter((entry) => entry !== null);
    if (there.length > 0) return there;
  }
}

async function entryOf({ path, calls }: HeldDirectory, name: Buffer): Promise<ListedEntry | null> {
  try {
    return { name, stats: await calls.lstat(path(name)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function nextNames({ calls }: HeldDirectory, listing: Dir): Promise<Buffer[]> {
  const names: Buffer[] = [];
  while (names.length < listingBatch) {
    const next = calls.readdir(listing);
    const entry = next instanceof Promise ? await next : next;
    if (entry === null) break;
    names.push(entry.name as unknown as Buffer);
  }
  return names;
}
