import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writev,
} from 'node:fs';
import { entrySeconds, fsPath, type TarEntry } from './tar-entry.ts';

/**
 * Files elsewhere on the file system whose bytes are payload of a tar, by their paths in it, while that is read. Nobody
 * writes to them any more.
 */
export type FilesAtHand = ReadonlyMap<string, string | Buffer>;

/** Files from this size on are worth being looked at before they are written once more. */
const twinBytes = 64 * 1024;

/** What a file's time may lose by being set through a double. */
const timeSlackNs = 1000n;

/** What is written in one go by a thread: handing it to one costs as much as writing a tenth of it. */
const batchBytes = 1024 * 1024;
const maxWrites = 4;

/** A file up to this size is not worth a thread. */
const smallBytes = 32 * 1024;

interface OpenFile {
  readonly fd: number;
  readonly entry: TarEntry;
  position: number;
  /** To be written next, at the position. */
  readonly gathered: Buffer[];
  gatheredBytes: number;
  /** Those under way, oldest first. */
  readonly writes: Promise<void>[];
}

/**
 * The files of a layer being written: system calls, and no opinion. Paths are byte strings relative to `fs/`
 * with no symbolic link on the way, which is for the caller to see to.
 */
export class LayerFiles {
  readonly #dir: string;
  #file: OpenFile | null = null;

  /** @param dir exists and is empty */
  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(`${dir}/fs`, { mode: 0o755 });
  }

  /** Where a path is on the host. */
  at(path: string): string {
    return `${this.#dir}/fs/${path}`;
  }

  /**
   * Opens a new file for {@link write}, until {@link end}.
   *
   * @param twin the same bytes in a file on the host: when it is the same in all else, and nobody else has a link to it,
   *   the layer gets one, and nothing is written
   */
  begin(path: string, entry: TarEntry, twin?: string | Buffer): void {
    if (twin !== undefined && this.#adopt(twin, path, entry)) return;
    const fd = openSync(this.#path(path), constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
    this.#file = { fd, entry, position: 0, gathered: [], gatheredBytes: 0, writes: [] };
  }

  /**
   * Does nothing when no file is open. Bytes are written beside what goes on here, and must not be changed; a
   * promise, if there is one, is to be awaited before more is written.
   */
  write(bytes: Buffer): Promise<void> | undefined {
    const file = this.#file;
    if (!file) return undefined;
    file.gathered.push(bytes);
    file.gatheredBytes += bytes.length;
    if (file.gatheredBytes < batchBytes) return undefined;
    writeGathered(file);
    return file.writes.length < maxWrites ? undefined : file.writes.shift();
  }

  /** Gives the open file its attributes and closes it. A promise, if there is one, is to be awaited. */
  end(): Promise<void> | undefined {
    const file = this.#file;
    if (!file) return undefined;
    const isSmall = file.position === 0 && file.gatheredBytes <= smallBytes;
    if (isSmall) for (const bytes of file.gathered) writeFileSync(file.fd, bytes);
    this.#file = null;
    if (isSmall) {
      close(file);
      return undefined;
    }
    writeGathered(file);
    return settle(file).finally(() => close(file));
  }

  abort(): void {
    const file = this.#file;
    this.#file = null;
    // Not before: another file might get the descriptor.
    if (file) void Promise.allSettled(file.writes).then(() => closeSync(file.fd));
  }

  directory(path: string): void {
    mkdirSync(this.#path(path), { mode: 0o755 });
  }

  /** Owner and mode of a directory; its times come last, with {@link times}. */
  attributes(path: string, entry: TarEntry): void {
    chownSync(this.#path(path), entry.uid, entry.gid);
    chmodSync(this.#path(path), entry.mode);
  }

  times(path: string, entry: TarEntry): void {
    const time = entrySeconds(entry);
    utimesSync(this.#path(path), time, time);
  }

  symlink(path: string, entry: TarEntry): void {
    symlinkSync(fsPath(entry.linkPath), this.#path(path));
    lchownSync(this.#path(path), entry.uid, entry.gid);
    lutimesSync(this.#path(path), entrySeconds(entry), entrySeconds(entry));
  }

  link(target: string, path: string): void {
    linkSync(this.#path(target), this.#path(path));
  }

  /** @param from a file on the host */
  copy(from: string, path: string, entry: TarEntry): void {
    copyFileSync(fsPath(from), this.#path(path), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    lchownSync(this.#path(path), entry.uid, entry.gid);
    chmodSync(this.#path(path), entry.mode);
    lutimesSync(this.#path(path), entrySeconds(entry), entrySeconds(entry));
  }

  /** An empty directory. */
  removeDirectory(path: string): void {
    rmdirSync(this.#path(path));
  }

  remove(path: string): void {
    unlinkSync(this.#path(path));
  }

  /** Takes a file out of the layer and keeps it for its tar (tar-split.ts, `replaced/N`). */
  setAside(path: string, payload: number): void {
    mkdirSync(`${this.#dir}/replaced`, { recursive: true });
    renameSync(this.#path(path), `${this.#dir}/replaced/${payload}`);
  }

  #adopt(twin: string | Buffer, path: string, entry: TarEntry): boolean {
    if (entry.size < twinBytes) return false;
    const stat = lstatSync(twin, { bigint: true });
    const { size, uid, gid, mode, nlink, mtimeNs } = stat;
    const apart = mtimeNs > entry.mtimeNs ? mtimeNs - entry.mtimeNs : entry.mtimeNs - mtimeNs;
    const isSame =
      Number(size) === entry.size &&
      Number(uid) === entry.uid &&
      Number(gid) === entry.gid &&
      Number(mode & 0o7777n) === entry.mode;
    // Two paths of layers with one inode would look like hard links of each other.
    if (!stat.isFile() || !isSame || nlink !== 1n || apart > timeSlackNs) return false;
    try {
      linkSync(twin, this.#path(path));
    } catch {
      // Another file system, or too many links.
      return false;
    }
    lutimesSync(this.#path(path), entrySeconds(entry), entrySeconds(entry));
    return true;
  }

  #path(path: string): string | Buffer {
    return fsPath(this.at(path));
  }
}

/** Throws what the first write threw that failed, when none is under way any more. */
async function settle(file: OpenFile): Promise<void> {
  const results = await Promise.allSettled(file.writes.splice(0));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

function close({ fd, entry }: OpenFile): void {
  try {
    fchownSync(fd, entry.uid, entry.gid);
    fchmodSync(fd, entry.mode);
    const time = entrySeconds(entry);
    futimesSync(fd, time, time);
  } finally {
    closeSync(fd);
  }
}

/** Whoever awaits the file hears of what fails. */
function writeGathered(file: OpenFile): void {
  const written = writeAll(file.fd, file.gathered.splice(0), file.position);
  written.catch(() => {});
  file.writes.push(written);
  file.position += file.gatheredBytes;
  file.gatheredBytes = 0;
}

async function writeAll(fd: number, pieces: readonly Buffer[], position: number): Promise<void> {
  let at = position;
  for (let left = pieces; left.length > 0; ) {
    const written = await writePieces(fd, left, at);
    at += written;
    left = without(left, written);
  }
}

function writePieces(fd: number, pieces: readonly Buffer[], position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    writev(fd, pieces, position, (error, length) => (error ? reject(error) : resolve(length))),
  );
}

/** What is left of pieces after the first bytes of them. */
function without(pieces: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}
