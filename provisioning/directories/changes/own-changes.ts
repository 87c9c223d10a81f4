import type { Machine } from '../../machine.ts';
import { absolute } from '../sftp/served-paths.ts';

/** From a change until the system has told of it, on a busy computer. */
const lastMs = 500;
/** Beyond that, old ones are looked for. */
const many = 4096;

/**
 * What a machine itself has just changed in the host's directories, by paths of its SFTP server: nothing that it must be
 * told. A change of the host's in the same half second, of the same file, is not told either.
 */
export class OwnChanges {
  readonly #at = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  mark(path: Buffer): void {
    const key = absolute(path).toString('latin1');
    // The newest are last.
    this.#at.delete(key);
    this.#at.set(key, this.#now());
    if (this.#at.size <= many) return;
    for (const [old, at] of this.#at) {
      if (this.#now() - at <= lastMs) break;
      this.#at.delete(old);
    }
  }

  /** `path` with a character for each byte. */
  has(path: string): boolean {
    const at = this.#at.get(path);
    return at !== undefined && this.#now() - at <= lastMs;
  }
}

const all = new WeakMap<Machine, OwnChanges>();

/** One for the server of a machine's directories and for who watches them. */
export function ownChangesOf(machine: Machine): OwnChanges {
  const own = all.get(machine) ?? new OwnChanges();
  all.set(machine, own);
  return own;
}
