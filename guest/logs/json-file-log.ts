import { EventEmitter } from 'node:events';
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { LineSplitter } from './line-splitter.ts';
import { encodeEntry, type LogEntry, timestamp } from './log-entry.ts';
import { RedoFile } from './redo-file.ts';

/**
 * A container's log: JSON lines in `<file>`, older ones in `<file>.1`, `.2`, ... up to a bound. Survives the
 * death of the agent at any moment: output is in `<file>.redo` by the first thing that is done with it, and
 * {@link recover} does again what was begun. What remains is the time between the kernel's handing out of a
 * piece and that write, some microseconds: a container that writes without pause may lose a piece to a kill
 * there (test/engine/logs.test.ts measures it).
 */
export class JsonFileLog {
  readonly file: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() };
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #redo: RedoFile;
  #fd: number | null = null;
  #inode = 0;
  #bytes = 0;
  /** Grows with each rotation. */
  generation = 0;

  constructor(file: string, bounds: { readonly maxBytes: number; readonly maxFiles: number }) {
    this.file = file;
    this.#redo = new RedoFile(`${file}.redo`);
    this.#maxBytes = bounds.maxBytes;
    this.#maxFiles = bounds.maxFiles;
  }

  write(stream: LogEntry['stream'], chunk: Buffer): void {
    if (this.#fd === null) this.#open();
    if (this.#bytes >= this.#maxBytes) this.#rotate();
    const { stdout, stderr } = this.#splitters;
    this.#redo.save({
      inode: this.#inode,
      size: this.#bytes,
      rests: { stdout: stdout.rest, stderr: stderr.rest },
      stream,
      chunk,
    });
    this.#append(stream, this.#splitters[stream].push(chunk));
  }

  /** After an agent has died while the container ran: takes up where it was. Before anything else. */
  recover(): void {
    if (!existsSync(this.file)) return;
    this.#open();
    const redo = this.#redo.load();
    const known = redo && redo.inode === this.#inode && redo.size <= this.#bytes;
    this.#truncate(known ? redo.size : readFileSync(this.file).lastIndexOf('\n') + 1);
    if (!redo) return;
    for (const stream of ['stdout', 'stderr'] as const) this.#splitters[stream].push(redo.rests[stream]);
    const lines = this.#splitters[redo.stream].push(redo.chunk);
    // Otherwise the piece was logged, and the file rotated away since.
    if (known) this.#append(redo.stream, lines);
  }

  /** The run is over. The last line may lack its newline. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) this.#append(stream, this.#splitters[stream].end());
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#redo.remove();
  }

  /** Calls `listener` after each write, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#changes.on('change', listener);
    return () => this.#changes.off('change', listener);
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
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd!, bytes, at);
    this.#bytes += bytes.length;
    this.#changes.emit('change');
  }

  #open(): void {
    this.#fd ??= openSync(this.file, 'a', 0o640);
    const { ino, size } = fstatSync(this.#fd);
    this.#inode = ino;
    this.#bytes = size;
  }

  #truncate(size: number): void {
    ftruncateSync(this.#fd!, size);
    this.#bytes = size;
  }

  #rotate(): void {
    closeSync(this.#fd!);
    this.#fd = null;
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
