import { createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** Older files of a log: `<file>.1` is the newest of them, `<file>.2` is older, with `.gz` when compressed. */
export class RotatedFiles {
  readonly #file: string;
  readonly #count: number;
  readonly #compress: boolean;
  #compressing = false;

  constructor(file: string, options: { readonly count: number; readonly compress: boolean }) {
    this.#file = file;
    this.#count = options.count;
    this.#compress = options.compress;
  }

  /** Newest first. */
  list(): string[] {
    const paths: string[] = [];
    for (let age = 1; age <= this.#count; age++) {
      const path = this.#path(age);
      // Both are there when an agent has died between the two steps that put one in the other's place.
      if (existsSync(path)) paths.push(path);
      else if (existsSync(`${path}.gz`)) paths.push(`${path}.gz`);
    }
    return paths;
  }

  /** Takes the log's file away: it becomes the newest of the older ones, and the oldest goes. */
  push(): void {
    const oldest = this.#count === 0 ? this.#file : this.#path(this.#count);
    for (const ending of ['', '.gz']) rmSync(oldest + ending, { force: true });
    for (let age = this.#count - 1; age >= 1; age--)
      for (const ending of ['', '.gz'])
        if (existsSync(this.#path(age) + ending))
          renameSync(this.#path(age) + ending, this.#path(age + 1) + ending);
    if (this.#count > 0) renameSync(this.#file, this.#path(1));
    if (this.#compress) void this.compress();
  }

  /** Beside everything else; a file that cannot be compressed stays as it is. */
  async compress(): Promise<void> {
    if (this.#compressing || !this.#compress) return;
    this.#compressing = true;
    try {
      for (let path = this.#plain(); path; path = this.#plain()) await this.#compressOne(path);
    } catch {
      // The disk is full, or the container and its log are gone.
    } finally {
      this.#compressing = false;
    }
  }

  async #compressOne(path: string): Promise<void> {
    const temporary = `${this.#file}.compressing`;
    // Held open to the end: nothing else gets its inode's number, by which it is found again.
    await using source = await open(path);
    const { ino } = await source.stat();
    const target = createWriteStream(temporary, { mode: 0o640, flush: true });
    await pipeline(source.createReadStream({ autoClose: false }), createGzip(), target);
    // It may have grown older meanwhile.
    const now = this.list().find((candidate) => statSync(candidate).ino === ino);
    if (!now) return rmSync(temporary);
    renameSync(temporary, `${now}.gz`);
    rmSync(now);
  }

  #plain(): string | undefined {
    return this.list().find((path) => !path.endsWith('.gz'));
  }

  #path(age: number): string {
    return `${this.#file}.${age}`;
  }
}
