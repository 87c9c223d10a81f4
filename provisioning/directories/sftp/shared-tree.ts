import type { Stats } from 'node:fs';
import { close as closeWithCallback, constants, fchmod, ftruncate, open as openWithCallback } from 'node:fs';
import * as fs from 'node:fs/promises';
import { promisify } from 'node:util';
import { changeOwner } from '../owners/change-owner.ts';
import { FileOwners } from '../owners/file-owners.ts';
import type { Owner } from '../owners/owner.ts';
import type { WantedAttributes } from './attributes.ts';
import { Refusal } from './errors.ts';
import type { FileCalls } from './file-calls.ts';
import { HeldDirectories, type HeldDirectory } from './held-directories.ts';
import { openFlag, status } from './protocol.ts';

const open = promisify(openWithCallback);
const close = promisify(closeWithCallback);
const changeMode = promisify(fchmod);
const truncate = promisify(ftruncate);

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants;
/** Windows has no such flags; there lstat alone tells links. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
const openPath = 0o10000000;
/** What /proc/self/fd/N/. is, is the directory and no link to it. */
const itself = Buffer.from('.');
/** Of this process; takes bits from files that were made with a mode. */
const umask = process.umask();

/** An open regular file. */
export interface OpenFile {
  readonly descriptor: number;
  readonly writable: boolean;
  /** Its owner, mode and times are not to change, however it is open. */
  readonly readonly: boolean;
  /** Writes go to its end, wherever they are meant to go. */
  readonly appends: boolean;
  /** How it is looked at. */
  readonly calls: FileCalls;
  readonly owners: FileOwners;
}

/**
 * One directory of this computer with everything below it, by the names of its parts. Nothing here follows a
 * symbolic link, and nothing is done to devices, FIFOs and sockets but to look at, rename and remove them.
 */
export class SharedTree {
  readonly readonly: boolean;
  readonly #owners: FileOwners;
  readonly #directories: HeldDirectories;

  /** `root` is a real path; who its files were given to may be known of other trees, too. */
  constructor(
    root: string,
    { readonly, owners = new FileOwners() }: { readonly readonly: boolean; readonly owners?: FileOwners },
  ) {
    this.readonly = readonly;
    this.#owners = owners;
    this.#directories = new HeldDirectories(Buffer.from(root === '/' ? '' : root), owners);
  }

  /** The directory itself, until it is released. */
  hold(parts: readonly Buffer[]): Promise<HeldDirectory> {
    return this.#directories.hold(parts);
  }

  stats(parts: readonly Buffer[]): Promise<Stats> {
    if (parts.length === 0) return this.#in(parts, ({ path, calls }) => calls.lstat(path(itself)));
    return this.#at(parts, (path, calls) => calls.lstat(path));
  }

  readLink(parts: readonly Buffer[]): Promise<Buffer> {
    return this.#at(parts, (path, calls) => calls.readlink(path));
  }

  fileSystem(parts: readonly Buffer[]) {
    return parts.length === 0
      ? this.#in(parts, ({ path }) => fs.statfs(path()))
      : this.#in(parts.slice(0, -1), ({ path }) => fs.statfs(path()));
  }

  /** Throws Refusal for what is no regular file. */
  async open(parts: readonly Buffer[], flags: number, { mode }: WantedAttributes): Promise<OpenFile> {
    const writable = (flags & ~openFlag.read) !== 0;
    if (writable) this.#mayWrite();
    return this.#at(parts, async (path, calls) => {
      const before = await lstatIfThere(calls, path);
      if (before !== null && !before.isFile()) throw notRegular();
      const bits = 0o7777 & (mode ?? 0o666);
      const system = systemFlags(flags);
      const makes = (system & (O_CREAT | O_TRUNC)) !== 0;
      const descriptor = await (makes ? open(path, system, bits) : calls.open(path, system));
      try {
        if (!(await calls.fstat(descriptor)).isFile()) throw notRegular();
        if (before === null && mode !== undefined && (bits & umask) !== 0) await changeMode(descriptor, bits);
        const appends = (system & O_APPEND) !== 0;
        return { descriptor, writable, readonly: this.readonly, appends, calls, owners: this.#owners };
      } catch (error) {
        await close(descriptor);
        throw error;
      }
    });
  }

  async change(parts: readonly Buffer[], wanted: WantedAttributes): Promise<void> {
    this.#mayWrite();
    const { size, owner, mode, times } = wanted;
    if (size !== undefined) {
      const { descriptor } = await this.open(parts, openFlag.write, {});
      await truncate(descriptor, size).finally(() => close(descriptor));
    }
    const work = async (path: Buffer, calls: FileCalls) => {
      if (owner !== undefined) {
        const really = ({ uid, gid }: Owner) => fs.lchown(path, uid, gid);
        await changeOwner(await calls.lstat(path), owner, { really, owners: this.#owners });
      }
      if (mode !== undefined) await changeModeAt(path, mode, calls);
      if (times !== undefined) await fs.lutimes(path, times.accessed, times.modified);
    };
    if (parts.length === 0) await this.#in(parts, ({ path, calls }) => work(path(itself), calls));
    else await this.#at(parts, work);
  }

  async makeDirectory(parts: readonly Buffer[], { mode = 0o777 }: WantedAttributes): Promise<void> {
    this.#mayWrite();
    await this.#at(parts, async (path, calls) => {
      await fs.mkdir(path, mode);
      if ((mode & umask) !== 0) await changeModeAt(path, mode, calls);
    });
  }

  async removeDirectory(parts: readonly Buffer[]): Promise<void> {
    this.#mayWrite();
    await this.#at(parts, (path) => fs.rmdir(path));
  }

  async remove(parts: readonly Buffer[]): Promise<void> {
    this.#mayWrite();
    await this.#at(parts, (path) => fs.unlink(path));
  }

  async makeLink(parts: readonly Buffer[], target: Buffer): Promise<void> {
    this.#mayWrite();
    await this.#at(parts, (path) => fs.symlink(target, path));
  }

  /** With `replace` what has the new name goes; else that is refused. */
  async rename(
    from: readonly Buffer[],
    to: readonly Buffer[],
    { replace }: { readonly replace: boolean },
  ): Promise<void> {
    this.#mayWrite();
    await this.#at(from, (source) =>
      this.#at(to, async (target, calls) => {
        if (!replace && (await lstatIfThere(calls, target)) !== null)
          throw new Refusal(status.failure, 'there is a file of that name');
        await fs.rename(source, target);
      }),
    );
  }

  async hardLink(from: readonly Buffer[], to: readonly Buffer[]): Promise<void> {
    this.#mayWrite();
    await this.#at(from, (source) =>
      this.#at(to, async (target) => {
        // macOS would follow it.
        if ((await fs.lstat(source)).isSymbolicLink()) throw notRegular();
        await fs.link(source, target);
      }),
    );
  }

  close(): void {
    this.#directories.close();
  }

  async #in<Result>(
    parts: readonly Buffer[],
    work: (directory: HeldDirectory) => Result | Promise<Result>,
  ): Promise<Result> {
    const directory = await this.#directories.hold(parts);
    try {
      return await work(directory);
    } finally {
      directory.release();
    }
  }

  #at<Result>(
    parts: readonly Buffer[],
    work: (path: Buffer, calls: FileCalls) => Result | Promise<Result>,
  ): Promise<Result> {
    const name = parts.at(-1);
    if (name === undefined) throw new Refusal(status.permissionDenied, 'the shared directory itself');
    return this.#in(parts.slice(0, -1), (directory) => work(directory.path(name), directory.calls));
  }

  #mayWrite(): void {
    if (this.readonly) throw new Refusal(status.permissionDenied, 'shared read-only');
  }
}

/** Throws Refusal for a combination without a meaning. */
function systemFlags(flags: number): number {
  const has = (flag: number) => (flags & flag) !== 0;
  const access =
    has(openFlag.write) || has(openFlag.append) ? (has(openFlag.read) ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (access === O_RDONLY && !has(openFlag.read))
    throw new Refusal(status.failure, 'neither to be read nor to be written');
  return (
    access |
    (has(openFlag.append) ? O_APPEND : 0) |
    (has(openFlag.create) ? O_CREAT : 0) |
    (has(openFlag.create) && has(openFlag.exclusive) ? O_EXCL : 0) |
    (has(openFlag.truncate) && access !== O_RDONLY ? O_TRUNC : 0) |
    // A FIFO that takes the file's place would block a thread for ever.
    (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
  );
}

/** chmod(2) follows links; here one is refused. */
async function changeModeAt(path: Buffer, mode: number, calls: FileCalls): Promise<void> {
  if (process.platform === 'linux') {
    const descriptor = await calls.open(path, openPath | O_NOFOLLOW);
    try {
      if ((await calls.fstat(descriptor)).isSymbolicLink()) throw notRegular();
      await fs.chmod(`/proc/self/fd/${descriptor}`, mode);
    } finally {
      await calls.close(descriptor);
    }
    return;
  }
  if ((await calls.lstat(path)).isSymbolicLink()) throw notRegular();
  await (process.platform === 'darwin' ? fs.lchmod(path, mode) : fs.chmod(path, mode));
}

/** Null also for what cannot be looked at. */
async function lstatIfThere(calls: FileCalls, path: Buffer): Promise<Stats | null> {
  try {
    return await calls.lstat(path);
  } catch {
    return null;
  }
}

function notRegular(): Refusal {
  return new Refusal(status.failure, 'not a regular file');
}
