import { type FSWatcher, type Stats, watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
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
  /** Of the directory, by which another one at its path is known. */
  readonly identity: string;
}

interface Queued {
  readonly path: string;
  /** What is in it was made just now, and is told. */
  readonly isNew: boolean;
  /** Something is said to have become of the directory that was watched there. */
  readonly wasWatched?: boolean;
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
  readonly #queue: Queued[] = [];
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
      const { path, isNew, wasWatched = false } = next;
      const host = this.#options.hostPath(path);
      const stats = host && (await lstat(host).catch(() => null));
      if (this.#ended) return;
      if (wasWatched && !this.#isOther(path, stats, isNew)) continue;
      if (!stats) continue;
      if (stats.isDirectory()) await this.#watchTree(path, host!, { isNew, identity: identityOf(stats) });
      else if (this.#wanted.includes(path)) await this.#watchFile(path);
    }
  }

  /**
   * For a watched directory, Node says the same when it has another name, is gone or another, and when only its attributes
   * have changed. Tells of it, and whether it is to be watched anew.
   */
  #isOther(path: string, stats: Stats | null, isNew: boolean): boolean {
    const there = this.#watched.get(path);
    const isSame = stats?.isDirectory() && there?.identity === identityOf(stats);
    if (isNew) this.#options.onChange(path, { renamed: !isSame, wasDirectory: true });
    // What it was watched as may be gone or have another name now.
    if (!isSame) this.#dropTree(path);
    return !isSame;
  }

  async #watchTree(
    path: string,
    host: Buffer,
    { isNew, identity }: { readonly isNew: boolean; readonly identity: string },
  ): Promise<void> {
    const there = this.#watched.get(path);
    if (there !== undefined && there.names === null) return;
    if (there !== undefined) there.names = null;
    else if (!this.#watch(path, host, { names: null, identity })) return;
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

  async #watchFile(path: string): Promise<void> {
    const slash = path.lastIndexOf('/');
    const [parent, name] = [path.slice(0, slash), path.slice(slash + 1)];
    const there = this.#watched.get(parent);
    if (there !== undefined) there.names?.add(name);
    else {
      const host = this.#options.hostPath(parent);
      const stats = host && (await lstat(host).catch(() => null));
      if (stats && !this.#ended)
        this.#watch(parent, host!, { names: new Set([name]), identity: identityOf(stats) });
    }
  }

  #watch(path: string, host: Buffer, { names, identity }: Omit<Watched, 'watcher'>): boolean {
    if (this.#watched.size >= (this.#options.max ?? maxDirectories)) {
      this.#full(`more than ${this.#options.max ?? maxDirectories} directories`);
      return false;
    }
    try {
      const recursive = this.#isRecursive && names === null;
      const ownName = basename(host.toString('latin1'));
      const watcher = watch(host, { persistent: false, encoding: 'buffer', recursive }, (event, name) => {
        if (name === null) return;
        const said = name.toString('latin1');
        this.#heard(path, said, { renamed: event === 'rename', isItself: said === ownName });
      });
      watcher.on('error', () => this.#drop(path));
      this.#watched.set(path, { watcher, names, identity });
      return true;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // No more watches (fs.inotify.max_user_watches), or instances.
      if (code === 'ENOSPC' || code === 'EMFILE') this.#full(`this computer allows no more: ${message}`);
      return false;
    }
  }

  /** `isItself`: it may be said of the directory itself, by its own name, and then there is nothing of that name in it. */
  #heard(
    directory: string,
    name: string,
    { renamed, isItself }: { readonly renamed: boolean; readonly isItself: boolean },
  ): void {
    const names = this.#watched.get(directory)?.names;
    if (names === undefined || (names !== null && !names.has(name))) return;
    const path = `${directory}/${this.#isRecursive ? name.replaceAll('\\', '/') : name}`;
    const isOwn = this.#options.isOwn(path);
    const there = this.#watched.get(path);
    const isWatched = there !== undefined && there.names === null;
    if (renamed && isWatched && !this.#isRecursive) {
      this.#queue.unshift({ path, isNew: !isOwn, wasWatched: true });
      this.#work();
      return;
    }
    const wasDirectory = this.#isRecursive ? null : isWatched;
    if (!isOwn) this.#options.onChange(path, { renamed: renamed && !isItself, wasDirectory });
    if (!renamed || names !== null || this.#isRecursive) return;
    // What has that name now may be a directory.
    this.#dropTree(path);
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

  #dropTree(path: string): void {
    for (const below of [...this.#watched.keys()])
      if (below === path || below.startsWith(`${path}/`)) this.#drop(below);
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

/** Names of inodes are used again, so the time when it was made is part of it; 0 where the file system has none. */
function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return [dev, ino, birthtimeMs].join();
}
