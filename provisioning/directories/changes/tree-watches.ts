import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import type { Heard } from './pending-changes.ts';

/** A container with its project has hundreds, one with all its dependencies thousands. 8,192 cost some 10 MB. */
const maxDirectories = 8192;
/** Containers come and go, and the next one often has the same directory. */
const lingerMs = 10_000;

export interface TreeWatchesOptions {
  /** Where on this computer a path of the SFTP server is; null where nothing is shared. */
  readonly hostPath: (path: string) => Buffer | null;
  readonly onChange: (path: string, how: Heard) => void;
  /** Changes that are not told. */
  readonly isOwn: (path: string) => boolean;
  readonly onWarning: (text: string) => void;
  readonly platform?: NodeJS.Platform;
  readonly max?: number;
  readonly lingerMs?: number;
}

interface Watched {
  readonly watcher: FSWatcher;
  /** Null: all names in it. */
  names: Set<string> | null;
}

/**
 * Watches directories of the host with everything below them, and single files; by paths of the SFTP server, a character
 * for each byte. On Linux that is a watch (inotify) for each directory, for which the number is bounded: those nearest to
 * what was asked for come first, and that others are not watched is said. macOS and Windows have one for a whole tree.
 * Symbolic links are not followed.
 */
export class TreeWatches implements Disposable {
  readonly #options: TreeWatchesOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #queue: { readonly path: string; readonly isNew: boolean }[] = [];
  #wanted: readonly string[] = [];
  #working: Promise<void> | null = null;
  #lingering: NodeJS.Timeout | undefined;
  #isFull = false;
  #ended = false;

  constructor(options: TreeWatchesOptions) {
    this.#options = options;
  }

  /** How many directories. */
  get size(): number {
    return this.#watched.size;
  }

  /** From now on these, when {@link settled}; what else was watched is for a little while. */
  want(paths: readonly string[]): void {
    this.#wanted = paths;
    for (const path of paths) this.#queue.push({ path, isNew: false });
    this.#work();
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => this.#dropUnwanted(), this.#options.lingerMs ?? lingerMs).unref();
  }

  /** Resolves when all that is known to be wanted is watched. */
  async settled(): Promise<void> {
    while (this.#working !== null) await this.#working;
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#lingering);
    for (const path of [...this.#watched.keys()]) this.#drop(path);
  }

  #work(): void {
    this.#working ??= this.#workThrough().finally(() => {
      this.#working = null;
    });
  }

  /** Breadth first. */
  async #workThrough(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (this.#ended) return;
      const { path, isNew } = next;
      const host = this.#options.hostPath(path);
      const stats = host && (await lstat(host).catch(() => null));
      if (!stats || this.#ended) continue;
      if (stats.isDirectory()) await this.#watchTree(path, host!, isNew);
      else if (this.#wanted.includes(path)) this.#watchFile(path);
    }
  }

  async #watchTree(path: string, host: Buffer, isNew: boolean): Promise<void> {
    const there = this.#watched.get(path);
    if (there !== undefined && there.names === null) return;
    if (there !== undefined) there.names = null;
    else if (!this.#watch(path, host, null)) return;
    if (this.#isRecursive) return;
    const entries = await readdir(host, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
    for (const entry of entries) {
      const below = `${path}/${(entry.name as unknown as Buffer).toString('latin1')}`;
      // Made before the watch was there, and told by nobody.
      if (isNew && !this.#options.isOwn(below))
        this.#options.onChange(below, { renamed: true, wasDirectory: false });
      if (entry.isDirectory()) this.#queue.push({ path: below, isNew });
    }
  }

  #watchFile(path: string): void {
    const slash = path.lastIndexOf('/');
    const [parent, name] = [path.slice(0, slash), path.slice(slash + 1)];
    const there = this.#watched.get(parent);
    if (there !== undefined) there.names?.add(name);
    else {
      const host = this.#options.hostPath(parent);
      if (host !== null) this.#watch(parent, host, new Set([name]));
    }
  }

  #watch(path: string, host: Buffer, names: Watched['names']): boolean {
    if (this.#watched.size >= (this.#options.max ?? maxDirectories)) {
      this.#full(`more than ${this.#options.max ?? maxDirectories} directories`);
      return false;
    }
    try {
      const recursive = this.#isRecursive && names === null;
      const watcher = watch(host, { persistent: false, encoding: 'buffer', recursive }, (event, name) => {
        if (name !== null) this.#heard(path, name.toString('latin1'), event === 'rename');
      });
      watcher.on('error', () => this.#drop(path));
      this.#watched.set(path, { watcher, names });
      return true;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // No more watches (fs.inotify.max_user_watches), or instances.
      if (code === 'ENOSPC' || code === 'EMFILE') this.#full(`this computer allows no more: ${message}`);
      return false;
    }
  }

  #heard(directory: string, name: string, renamed: boolean): void {
    const names = this.#watched.get(directory)?.names;
    if (names === undefined || (names !== null && !names.has(name))) return;
    const path = `${directory}/${this.#isRecursive ? name.replaceAll('\\', '/') : name}`;
    const isOwn = this.#options.isOwn(path);
    const there = this.#watched.get(path);
    const wasDirectory = this.#isRecursive ? null : there !== undefined && there.names === null;
    // Also said of the directory itself when that goes, and then there was nothing of that name in it.
    const isItself = directory.endsWith(`/${name}`);
    if (!isOwn) this.#options.onChange(path, { renamed: renamed && !isItself, wasDirectory });
    if (!renamed || names !== null || this.#isRecursive) return;
    // What it was watched as may be gone or have another name now; what has it now may be a directory.
    for (const below of [...this.#watched.keys()])
      if (below === path || below.startsWith(`${path}/`)) this.#drop(below);
    this.#queue.push({ path, isNew: !isOwn });
    this.#work();
  }

  #dropUnwanted(): void {
    for (const [path, { names }] of [...this.#watched]) {
      const isWanted =
        names === null
          ? this.#wanted.some((root) => path === root || path.startsWith(`${root}/`))
          : [...names].some((name) => this.#wanted.includes(`${path}/${name}`));
      if (!isWanted) this.#drop(path);
    }
    this.#isFull = false;
  }

  #drop(path: string): void {
    this.#watched.get(path)?.watcher.close();
    this.#watched.delete(path);
  }

  /** Said once, until there may be room again. */
  #full(why: string): void {
    if (!this.#isFull)
      this.#options.onWarning(
        `not all that containers have of this computer is watched (${why}); programs in them hear of no changes elsewhere. Bind smaller directories`,
      );
    this.#isFull = true;
  }

  get #isRecursive(): boolean {
    const { platform = process.platform } = this.#options;
    return platform === 'darwin' || platform === 'win32';
  }
}
