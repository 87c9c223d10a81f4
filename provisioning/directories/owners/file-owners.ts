import type { Stats } from 'node:fs';
import type { FileCalls } from '../sftp/file-calls.ts';
import type { Owner } from './owner.ts';
import type { OwnerJournal } from './owner-journal.ts';

/** Some 10 MB of memory; beyond it, what was given away longest ago is this computer's again. */
const mostOwners = 65_536;

/**
 * Whom a machine has given files to that this process may not give away (`chown` in a container, by a user who is not
 * root). The machine is shown these owners, on this computer nothing changes. A file is known by its inode number and the
 * time when that was made, which stay when it is renamed, when its file system is mounted anew under another device number,
 * and which no other file gets.
 */
export class FileOwners {
  readonly #owners: Map<string, Owner>;
  readonly #journal: OwnerJournal | null;
  readonly #most: number;

  /** Without a journal they are forgotten with this process. */
  constructor(journal: OwnerJournal | null = null, most = mostOwners) {
    this.#journal = journal;
    this.#most = most;
    this.#owners = journal?.read() ?? new Map();
    this.#forgetOldest();
  }

  /** Puts into `stats`, which are returned, who the file was given to. */
  show(stats: Stats): Stats {
    if (this.#owners.size === 0) return stats;
    const owner = this.#owners.get(keyOf(stats));
    return owner === undefined ? stats : Object.assign(stats, owner);
  }

  /** Throws EPERM for a file that its file system does not tell from a later one, and what writing the journal says. */
  give(stats: Stats, owner: Owner): void {
    if (stats.birthtimeMs === 0) throw Object.assign(new Error('not to be told apart'), { code: 'EPERM' });
    this.#set(keyOf(stats), owner);
  }

  /** The file has the owner that this computer says. */
  takeBack(stats: Stats): void {
    const key = keyOf(stats);
    if (this.#owners.has(key)) this.#set(key, null);
  }

  close(): void {
    this.#journal?.close();
  }

  #set(key: string, owner: Owner | null): void {
    this.#journal?.add(key, owner);
    // Given again, it is the newest.
    this.#owners.delete(key);
    if (owner !== null) this.#owners.set(key, owner);
    this.#forgetOldest();
    if (this.#journal !== null && this.#journal.lines > 2 * this.#most) this.#journal.rewrite(this.#owners);
  }

  #forgetOldest(): void {
    while (this.#owners.size > this.#most) {
      const [oldest] = this.#owners.keys();
      this.#owners.delete(oldest!);
    }
  }
}

/** The same calls, of which one hears who files were given to. */
export function showingOwners(calls: FileCalls, owners: FileOwners): FileCalls {
  const show = (stats: Stats | Promise<Stats>) =>
    stats instanceof Promise ? stats.then((s) => owners.show(s)) : owners.show(stats);
  return {
    ...calls,
    lstat: (path) => show(calls.lstat(path)),
    fstat: (descriptor) => show(calls.fstat(descriptor)),
  };
}

function keyOf({ ino, birthtimeMs }: Stats): string {
  return `${ino} ${birthtimeMs}`;
}
