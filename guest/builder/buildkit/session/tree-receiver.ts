import { type BigIntStats, lstatSync } from 'node:fs';
import { chmod, lchown, link, lutimes, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidParameter } from '../../../errors.ts';
import type { Content } from '../wire/message.ts';
import type { Stat } from '../wire/session.ts';
import { fileKind, unixMode } from './file-mode.ts';
import { FileWriter } from './file-writer.ts';

type Entry = Content<typeof Stat>;

/** How much may wait to be written before the sender has to wait. */
const mostWaiting = 16 * 1024 * 1024;

/**
 * Turns what a client says of its files into a directory. Entries come parents first; one is asked for when what
 * is there differs in kind, mode, owner, size or time. Files are replaced, never written to: others may have
 * links to them. Nothing is followed: a path goes through directories of this very list only.
 */
export class TreeReceiver {
  readonly #root: string;
  readonly #hashes: Map<string, string>;
  readonly #ask: (id: number) => void;
  #next = 0;
  #listed = false;
  /** Directories of the list with the names in them; `fresh` ones were empty before. */
  readonly #directories = new Map<string, { entry: Entry | null; names: Set<string>; fresh: boolean }>();
  readonly #files = new Set<string>();
  readonly #hardLinks: Entry[] = [];
  readonly #wanted = new Map<number, FileWriter>();
  readonly #writing = new Set<Promise<void>>();
  #waiting = 0;
  #failed: unknown;

  /**
   * @param hashes sha256 of files that are there, by path; kept true at every moment, whatever fails
   * @param ask for the content of the entry with this number
   */
  constructor(root: string, hashes: Map<string, string>, ask: (id: number) => void) {
    this.#root = root;
    this.#hashes = hashes;
    this.#ask = ask;
    this.#directories.set('', { entry: null, names: new Set(), fresh: false });
  }

  /** All was listed and what was asked for has come. */
  get complete(): boolean {
    return this.#listed && this.#wanted.size === 0;
  }

  async entry(stat: Entry): Promise<void> {
    const id = this.#next++;
    const parent = this.#place(stat.path);
    const path = join(this.#root, stat.path);
    const kind = fileKind(stat.mode);
    // Sockets and devices are of use to nobody in an image.
    if (kind === 'other') return;
    const there = parent.fresh ? null : lstat(path);
    if (kind !== 'file' || stat.linkname !== '') this.#hashes.delete(stat.path);
    if (kind === 'directory') await this.#directory(stat, path, there);
    else if (kind === 'link') await this.#link(stat, path, there);
    else if (stat.linkname !== '') this.#hardLinks.push(stat);
    else await this.#file(id, stat, path, there);
  }

  /** The list is whole: what else is in the directory goes. */
  async listed(): Promise<void> {
    this.#listed = true;
    for (const [directory, { names, fresh }] of this.#directories) {
      if (fresh) continue;
      for (const name of await readdir(join(this.#root, directory)))
        if (!names.has(name)) await rm(join(this.#root, directory, name), { recursive: true, force: true });
    }
  }

  async data(id: number, data: Uint8Array): Promise<void> {
    const writer = this.#wanted.get(id);
    if (!writer) throw new InvalidParameter(`data of file ${id}, which was not asked for`);
    if (data.length > 0) this.#track(writer.write(data), data.length);
    else {
      this.#wanted.delete(id);
      this.#track(writer.end(), 0);
    }
    while (this.#waiting > mostWaiting) await Promise.race(this.#writing);
    if (this.#failed) throw this.#failed;
  }

  /** Waits for what is being written, makes hard links, and gives directories their modes and times, innermost first. */
  async finish(): Promise<void> {
    await Promise.all(this.#writing);
    if (this.#failed) throw this.#failed;
    for (const path of this.#hashes.keys()) if (!this.#files.has(path)) this.#hashes.delete(path);
    for (const entry of this.#hardLinks) await this.#hardLink(entry);
    for (const [directory, { entry }] of [...this.#directories].reverse())
      if (entry) await dress(join(this.#root, directory), entry, 'directory');
  }

  /** Idempotent; to be called whether it went well or not. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writing);
    await Promise.allSettled([...this.#wanted.values()].map((writer) => writer.close()));
  }

  #place(path: string): { names: Set<string>; fresh: boolean } {
    const parts = path.split('/');
    if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..'))
      throw new InvalidParameter(
        `the client sent a path that is not one of its directory: ${JSON.stringify(path)}`,
      );
    const parent = this.#directories.get(parts.slice(0, -1).join('/'));
    const name = parts.at(-1)!;
    if (!parent || parent.names.has(name))
      throw new InvalidParameter(`the client sent paths out of order: ${JSON.stringify(path)}`);
    parent.names.add(name);
    return parent;
  }

  async #directory(stat: Entry, path: string, there: BigIntStats | null): Promise<void> {
    const fresh = !there?.isDirectory();
    if (there && fresh) await rm(path, { recursive: true });
    if (fresh) await mkdir(path);
    this.#directories.set(stat.path, { entry: stat, names: new Set(), fresh });
  }

  async #link(stat: Entry, path: string, there: BigIntStats | null): Promise<void> {
    if (there?.isSymbolicLink() && sameTime(there, stat) && (await readlink(path)) === stat.linkname) return;
    if (there) await rm(path, { recursive: true });
    await symlink(stat.linkname, path);
    await dress(path, stat, 'link');
  }

  /** When all files are there. */
  async #hardLink({ path: name, linkname }: Entry): Promise<void> {
    if (!this.#files.has(linkname))
      throw new InvalidParameter(`the client sent a link to ${JSON.stringify(linkname)}, but not that file`);
    const [path, target] = [join(this.#root, name), join(this.#root, linkname)];
    const there = lstat(path);
    if (there && there.ino === lstat(target)?.ino) return;
    await rm(path, { recursive: true, force: true });
    await link(target, path);
  }

  async #file(id: number, stat: Entry, path: string, there: BigIntStats | null): Promise<void> {
    this.#files.add(stat.path);
    if (there?.isFile() && sameFile(there, stat)) return;
    this.#hashes.delete(stat.path);
    if (there) await rm(path, { recursive: true });
    const finish = async (file: string, hash: string) => {
      await dress(file, stat, 'file');
      this.#hashes.set(stat.path, hash);
    };
    this.#wanted.set(id, new FileWriter(path, finish));
    this.#ask(id);
  }

  #track(work: Promise<void>, bytes: number): void {
    this.#waiting += bytes;
    const tracked: Promise<void> = work
      .catch((error: unknown) => {
        this.#failed ??= error;
      })
      .finally(() => {
        this.#waiting -= bytes;
        this.#writing.delete(tracked);
      });
    this.#writing.add(tracked);
  }
}

function lstat(path: string): BigIntStats | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** Node sets times through a float: the last digits of the nanoseconds are lost. */
function sameTime(there: BigIntStats, stat: Entry): boolean {
  const difference = there.mtimeNs - stat.modTime;
  return difference < 2000n && difference > -2000n;
}

function sameFile(there: BigIntStats, stat: Entry): boolean {
  return (
    sameTime(there, stat) &&
    there.size === BigInt(stat.size) &&
    Number(there.mode & 0o7777n) === unixMode(stat.mode) &&
    Number(there.uid) === stat.uid &&
    Number(there.gid) === stat.gid
  );
}

async function dress(path: string, stat: Entry, kind: 'file' | 'directory' | 'link'): Promise<void> {
  if (stat.uid !== 0 || stat.gid !== 0) await lchown(path, stat.uid, stat.gid);
  if (kind !== 'link') await chmod(path, unixMode(stat.mode));
  const seconds = Number(stat.modTime / 1000n) / 1e6;
  await lutimes(path, seconds, seconds);
}
