import { closeSync, constants, open as openWithCallback, readlinkSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type FileOwners, showingOwners } from '../owners/file-owners.ts';
import { Refusal } from './errors.ts';
import { callsFor, callsInThreads, type FileCalls } from './file-calls.ts';
import { status } from './protocol.ts';

const open = promisify(openWithCallback);

/** Linux' open(2): a descriptor that only names a file, for which search permission is enough. */
const openPath = 0o10000000;
/** How long a directory is kept for the next request, as are its file system and its place below it. */
const heldMs = 1000;

export interface HeldDirectory {
  /** How its entries are looked at. */
  readonly calls: FileCalls;
  /** The path of an entry, or without a name of the directory itself, to be used before release. */
  path(name?: Buffer): Buffer;
  release(): void;
}

interface Entry {
  readonly descriptor: number;
  /** `/proc/self/fd/N` */
  readonly link: string;
  /** What the kernel says that it is, when it was opened. */
  readonly place: Buffer;
  readonly calls: FileCalls;
  readonly until: number;
  users: number;
  dropped: boolean;
}

/**
 * Directories of one shared tree, held so that names in them can be worked on while others, in a container, do
 * their worst to the way there: a directory of the tree that is exchanged for a symbolic link must not lead out
 * of it. Links are the guest's to follow, so the server needs none.
 *
 * On Linux there is no race: the directory is opened, the kernel is asked where what was opened is, and entries
 * are reached through the descriptor (`/proc/self/fd/N/name`), which is openat(2) by other means. Elsewhere Node
 * has nothing like it: the directory's real path is compared and then used. Who exchanges it in between, within
 * tens of microseconds, has one operation done outside of the tree, with the rights of the user who shares it.
 */
export class HeldDirectories {
  readonly #root: Buffer;
  readonly #owners: FileOwners;
  readonly #entries = new Map<string, Entry>();
  #sweep: NodeJS.Timeout | undefined;

  /** `root` is a real path. */
  constructor(root: Buffer, owners: FileOwners) {
    this.#root = root;
    this.#owners = owners;
  }

  /** Throws Refusal when it is not in the tree, and what open(2) says. */
  hold(parts: readonly Buffer[]): Promise<HeldDirectory> {
    const path = join(this.#root, parts);
    return process.platform === 'linux' ? this.#holdOpen(path) : this.#holdPath(path);
  }

  /** Closes what nobody uses any more. */
  close(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    for (const [key, entry] of this.#entries) this.#drop(key, entry);
  }

  async #holdOpen(path: Buffer): Promise<HeldDirectory> {
    const key = path.toString('latin1');
    const known = this.#entries.get(key);
    if (known !== undefined && known.until > Date.now() && placeOf(known).equals(known.place))
      return this.#use(known);
    const { O_DIRECTORY, O_NOFOLLOW } = constants;
    const descriptor = await open(path, openPath | O_DIRECTORY | O_NOFOLLOW);
    const entry = await this.#entryOf(descriptor).catch((error: unknown) => {
      closeSync(descriptor);
      throw error;
    });
    const replaced = this.#entries.get(key);
    if (replaced !== undefined) this.#drop(key, replaced);
    this.#entries.set(key, entry);
    this.#sweep ??= setInterval(() => this.#dropOld(), heldMs).unref();
    return this.#use(entry);
  }

  async #entryOf(descriptor: number): Promise<Entry> {
    const link = `/proc/self/fd/${descriptor}`;
    const place = Buffer.from(readlinkSync(link, { encoding: 'buffer' }));
    if (!isWithin(place, this.#root)) throw outside();
    const calls = showingOwners(await callsFor(link, place), this.#owners);
    return { descriptor, link, place, calls, until: Date.now() + heldMs, users: 0, dropped: false };
  }

  async #holdPath(path: Buffer): Promise<HeldDirectory> {
    const real = Buffer.from(await realpath(path, { encoding: 'buffer' }));
    if (!isWithin(real, this.#root)) throw outside();
    return {
      calls: showingOwners(callsInThreads, this.#owners),
      path: (name) => (name === undefined ? real : join(real, [name])),
      release() {},
    };
  }

  #use(entry: Entry): HeldDirectory {
    entry.users += 1;
    let used = true;
    return {
      calls: entry.calls,
      path: (name) => (name === undefined ? Buffer.from(entry.link) : join(Buffer.from(entry.link), [name])),
      release() {
        if (!used) return;
        used = false;
        entry.users -= 1;
        if (entry.dropped && entry.users === 0) closeSync(entry.descriptor);
      },
    };
  }

  #dropOld(): void {
    for (const [key, entry] of this.#entries) if (entry.until <= Date.now()) this.#drop(key, entry);
    if (this.#entries.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.dropped = true;
    if (entry.users === 0) closeSync(entry.descriptor);
  }
}

const separator = Buffer.from('/');

export function join(root: Buffer, parts: readonly Buffer[]): Buffer {
  return Buffer.concat([root, ...parts.flatMap((part) => [separator, part])]);
}

/** Moved or deleted directories say so here. */
function placeOf({ link }: Entry): Buffer {
  return Buffer.from(readlinkSync(link, { encoding: 'buffer' }));
}

function isWithin(path: Buffer, root: Buffer): boolean {
  if (process.platform === 'win32') {
    const [inner, outer] = [path, root].map((p) => p.toString().toLowerCase().replaceAll('\\', '/'));
    return inner === outer || inner!.startsWith(`${outer}/`);
  }
  // A root of "/" is written as nothing.
  return path.equals(root) || (path.subarray(0, root.length).equals(root) && path[root.length] === 0x2f);
}

function outside(): Refusal {
  return new Refusal(status.permissionDenied, 'not in the shared directory');
}
