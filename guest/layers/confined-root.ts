import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { InvalidParameter, NotFound } from '../errors.ts';
import { fsPath, readable } from './tar-entry.ts';

/** The kernel's own limit (MAXSYMLINKS). */
const maxLinks = 40;
const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY;

/** A directory held open. Names below are byte strings and single path components. */
export class OpenDirectory implements Disposable {
  readonly fd: number;
  readonly #owned: boolean;

  constructor(fd: number, { owned }: { readonly owned: boolean }) {
    this.fd = fd;
    this.#owned = owned;
  }

  [Symbol.dispose](): void {
    if (this.#owned) closeSync(this.fd);
  }

  /** What `node:fs` takes for a name in here: the descriptor is followed, the name is not looked up before. */
  at(name: string): string | Buffer {
    return fsPath(`/proc/self/fd/${this.fd}/${name}`);
  }

  /** Where another process of this user finds the directory while it is open. */
  get processPath(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  stat(name: string): Stats | undefined {
    return lstatSync(this.at(name), { throwIfNoEntry: false });
  }

  /** Throws when the name is no directory, or a link to one. */
  child(name: string): OpenDirectory {
    return new OpenDirectory(openSync(this.at(name), directoryFlags | constants.O_NOFOLLOW), { owned: true });
  }

  /** Removes a name with all below it; nothing when it is not there. */
  remove(name: string): void {
    const stat = this.stat(name);
    if (!stat) return;
    if (!stat.isDirectory()) {
      unlinkSync(this.at(name));
      return;
    }
    {
      using directory = this.child(name);
      for (const below of readdirSync(directory.at('.'), 'latin1')) directory.remove(below);
    }
    rmdirSync(this.at(name));
  }
}

/**
 * A container's file tree, used while the container may run and change it under our hands. Every step is
 * taken from an open directory (`/proc/self/fd/N/name`, which is what openat is to others) without following
 * links, and links are resolved here: no path ever leaves the root, whatever is swapped meanwhile.
 */
export class ConfinedRoot implements Disposable {
  readonly #root: number;

  /** @param directory a path of ours that leads to the root, such as `/proc/PID/root` */
  constructor(directory: string) {
    this.#root = openSync(directory, directoryFlags);
  }

  [Symbol.dispose](): void {
    closeSync(this.#root);
  }

  /**
   * The directory at a path as a process inside would find it. A directory that is not there is made by
   * `make`; without it NotFound is thrown. Throws InvalidParameter when something on the way is no directory.
   */
  open(path: string, make?: (parent: OpenDirectory, name: string) => void): OpenDirectory {
    const stack = [new OpenDirectory(this.#root, { owned: false })];
    try {
      const names = path.split('/').reverse();
      for (let links = 0, name = names.pop(); name !== undefined; name = names.pop()) {
        if (name === '' || name === '.') continue;
        if (name === '..') {
          if (stack.length > 1) stack.pop()![Symbol.dispose]();
          continue;
        }
        const at = stack.at(-1)!;
        const stat = at.stat(name);
        if (stat?.isSymbolicLink()) {
          if (++links > maxLinks)
            throw new InvalidParameter(`too many symbolic links in "${readable(path)}"`);
          const target = readlinkSync(at.at(name), 'latin1');
          if (target.startsWith('/')) for (const directory of stack.splice(1)) directory[Symbol.dispose]();
          names.push(...target.split('/').reverse());
          continue;
        }
        if (!stat && !make) throw new NotFound(`"${readable(path)}" does not exist`);
        if (!stat) make?.(at, name);
        else if (!stat.isDirectory()) throw new InvalidParameter(`"${readable(path)}" is not a directory`);
        stack.push(at.child(name));
      }
      return stack.pop()!;
    } finally {
      for (const directory of stack) directory[Symbol.dispose]();
    }
  }
}
