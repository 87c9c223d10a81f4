import { EventEmitter } from 'node:events';
import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { LineSplitter } from './line-splitter.ts';
import { encodeEntry, type LogEntry, timestamp } from './log-entry.ts';

/**
 * A container's log: JSON lines in `<file>`, older ones in `<file>.1`, `.2`, ... up to a bound. What is
 * written is in the kernel's hands when `write` returns, before the next piece of output is asked for: an
 * agent that is killed loses no more than the piece in hand.
 */
export class JsonFileLog {
  readonly file: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() };
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #fd: number | null = null;
  #bytes = 0;
  /** Grows with each rotation. */
  generation = 0;

  constructor(file: string, bounds: { readonly maxBytes: number; readonly maxFiles: number }) {
    this.file = file;
    this.#maxBytes = bounds.maxBytes;
    this.#maxFiles = bounds.maxFiles;
  }

  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#append(stream, this.#splitters[stream].push(chunk));
  }

  /** The last line may lack its newline. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) this.#append(stream, this.#splitters[stream].end());
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  /** Calls `listener` after each write, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#changes.on('change', listener);
    return () => this.#changes.off('change', listener);
  }

  remove(): void {
    this.end();
    for (let i = 0; i < this.#maxFiles; i++) rmSync(this.path(i), { force: true });
  }

  /** Current file (0) and older ones. */
  path(age: number): string {
    return age === 0 ? this.file : `${this.file}.${age}`;
  }

  get maxFiles(): number {
    return this.#maxFiles;
  }

  #append(stream: LogEntry['stream'], lines: readonly string[]): void {
    if (lines.length === 0) return;
    const bytes = Buffer.from(lines.map((log) => encodeEntry({ log, stream, time: timestamp() })).join(''));
    if (this.#fd === null) this.#open();
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#maxBytes) this.#rotate();
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd!, bytes, at);
    this.#bytes += bytes.length;
    this.#changes.emit('change');
  }

  #open(): void {
    this.#fd = openSync(this.file, 'a', 0o640);
    this.#bytes = fstatSync(this.#fd).size;
  }

  #rotate(): void {
    closeSync(this.#fd!);
    if (this.#maxFiles === 1) rmSync(this.file);
    for (let age = this.#maxFiles - 2; age >= 0; age--) {
      try {
        renameSync(this.path(age), this.path(age + 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    this.generation++;
    this.#open();
  }
}
