import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { Owner } from './owner.ts';

/**
 * A file in which each owner that was given is a line, `INODE BORN UID GID;`, and one that was taken back another,
 * `INODE BORN;`: the last one counts. So a `chown` of a large tree is a short write for each file, and a process that is killed
 * loses none. Read by the next one; half a line is none.
 */
export class OwnerJournal {
  readonly #path: string;
  #descriptor: number | null = null;
  #lines = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** As many as are in the file. */
  get lines(): number {
    return this.#lines;
  }

  /** By what is before the owner's numbers, oldest first. */
  read(): Map<string, Owner> {
    const owners = new Map<string, Owner>();
    for (const [, key, uid, gid] of this.#text().matchAll(/^(\d+ [\d.e+-]+)(?: (\d+) (\d+))?;$/gm)) {
      owners.delete(key!);
      if (uid !== undefined) owners.set(key!, { uid: Number(uid), gid: Number(gid) });
      this.#lines += 1;
    }
    return owners;
  }

  /** Null for what was taken back. Throws what write(2) says, and ENOSPC when it was cut short; then nothing was added. */
  add(key: string, owner: Owner | null): void {
    this.#descriptor ??= openSync(this.#path, 'a', 0o600);
    // By itself it begins a line, whatever a write that was cut short has left.
    const bytes = Buffer.from(`\n${line(key, owner)}`);
    if (writeSync(this.#descriptor, bytes) < bytes.length)
      throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
    this.#lines += 1;
  }

  /** Leaves out what does not count any more. */
  rewrite(owners: ReadonlyMap<string, Owner>): void {
    const text = [...owners].map(([key, owner]) => line(key, owner)).join('');
    writeFileSync(`${this.#path}.new`, text, { mode: 0o600 });
    this.close();
    renameSync(`${this.#path}.new`, this.#path);
    this.#lines = owners.size;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #text(): string {
    try {
      return readFileSync(this.#path, 'latin1');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }
}

function line(key: string, owner: Owner | null): string {
  return owner === null ? `${key};\n` : `${key} ${owner.uid} ${owner.gid};\n`;
}
