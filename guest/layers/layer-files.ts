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
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { entrySeconds, fsPath, type TarEntry } from './tar-entry.ts';

/**
 * The files of a layer being written: system calls, and no opinion. Paths are byte strings relative to `fs/`
 * with no symbolic link on the way, which is for the caller to see to.
 */
export class LayerFiles {
  readonly #dir: string;
  #file: { readonly fd: number; readonly entry: TarEntry; position: number } | null = null;

  /** @param dir exists and is empty */
  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(`${dir}/fs`, { mode: 0o755 });
  }

  /** Where a path is on the host. */
  at(path: string): string {
    return `${this.#dir}/fs/${path}`;
  }

  /** Opens a new file for {@link write}, until {@link end}. */
  begin(path: string, entry: TarEntry): void {
    const fd = openSync(this.#path(path), constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
    this.#file = { fd, entry, position: 0 };
  }

  /** Does nothing when no file is open. */
  write(bytes: Buffer): void {
    const file = this.#file;
    if (!file) return;
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(file.fd, bytes, at, bytes.length - at, file.position + at);
    }
    file.position += bytes.length;
  }

  /** Gives the open file its attributes and closes it. */
  end(): void {
    const file = this.#file;
    if (!file) return;
    this.#file = null;
    try {
      fchownSync(file.fd, file.entry.uid, file.entry.gid);
      fchmodSync(file.fd, file.entry.mode);
      const time = entrySeconds(file.entry);
      futimesSync(file.fd, time, time);
    } finally {
      closeSync(file.fd);
    }
  }

  abort(): void {
    if (this.#file) closeSync(this.#file.fd);
    this.#file = null;
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

  #path(path: string): string | Buffer {
    return fsPath(this.at(path));
  }
}
