import { EventEmitter } from 'node:events';
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { OutputPosition } from '../runtime/runtime.ts';
import { Checkpoint } from './checkpoint.ts';
import { EntryFile } from './entry-file.ts';
import { LineSplitter } from './line-splitter.ts';
import { type LogAttributes, type LogEntry, type LogFormat, logTime } from './log-entry.ts';
import { RotatedFiles } from './rotated-files.ts';

type StreamName = LogEntry['stream'];

export interface ContainerLogOptions {
  readonly format: LogFormat;
  /** Of one file. What one read of the output gives (64 KiB) is not parted, so a file may become larger. */
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** The older files. */
  readonly compress: boolean;
  readonly attributes: LogAttributes | null;
}

/**
 * A container's log: one file, and older ones up to a bound. Survives the death of the agent at any moment:
 * a checkpoint tells what was in it before the last thing that was written, and the output after that is
 * still in the runtime's spool, since {@link saved} is what may be acknowledged there. Not synced: an entry
 * that is torn by a power cut is cut off by {@link recover}.
 */
export class ContainerLog {
  readonly file: string;
  readonly format: LogFormat;
  readonly rotated: RotatedFiles;
  readonly #options: ContainerLogOptions;
  readonly #splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() };
  readonly #events = new EventEmitter().setMaxListeners(0);
  /** How much of each stream was given, how much of that is in the file, and in the checkpoint. */
  #taken = { stdout: 0, stderr: 0 };
  #logged = { stdout: 0, stderr: 0 };
  #saved = { stdout: 0, stderr: 0 };
  #checkpoint: Checkpoint | null = null;
  #fd: number | null = null;
  #inode = 0;
  #bytes = 0;

  constructor(file: string, options: ContainerLogOptions) {
    this.file = file;
    this.format = options.format;
    this.#options = options;
    this.rotated = new RotatedFiles(file, { count: options.maxFiles - 1, compress: options.compress });
  }

  /** A run begins, whose checkpoint has this path. */
  begin(checkpoint: string): void {
    this.#continue(new Checkpoint(checkpoint), { stdout: 0, stderr: 0 });
    this.#open();
    this.#save();
  }

  /**
   * Instead of {@link begin}, after an agent has died while the container ran. Returns from where on the output
   * is to be given.
   */
  recover(checkpoint: string): OutputPosition {
    this.#open();
    const found = new Checkpoint(checkpoint).load();
    const same = found !== null && found.inode === this.#inode && found.size <= this.#bytes;
    // With another file: it was rotated away, and nothing was written since.
    this.#truncate(same ? found.size : found ? 0 : wholeBytes(this.file, this.format));
    const from = { stdout: found?.stdout ?? 0, stderr: found?.stderr ?? 0 };
    this.#continue(new Checkpoint(checkpoint), from);
    void this.rotated.compress();
    return from;
  }

  write(stream: StreamName, chunk: Buffer): void {
    this.#taken[stream] += chunk.length;
    this.#append(stream, this.#splitters[stream].push(chunk));
  }

  /** The run is over. The last line may lack its newline. Idempotent. */
  end(): void {
    try {
      for (const stream of ['stdout', 'stderr'] as const) this.#append(stream, this.#splitters[stream].end());
    } finally {
      if (this.#fd !== null) closeSync(this.#fd);
      this.#fd = null;
      this.#checkpoint?.close();
      this.#checkpoint = null;
    }
  }

  /** Output before this position will never be asked for again. */
  get saved(): OutputPosition {
    return this.#saved;
  }

  /** Calls them after each write and each rotation, until the returned function is called. */
  listen(listeners: { readonly onWrite: () => void; readonly onRotation: () => void }): () => void {
    this.#events.on('write', listeners.onWrite).on('rotation', listeners.onRotation);
    return () => this.#events.off('write', listeners.onWrite).off('rotation', listeners.onRotation);
  }

  #append(stream: StreamName, lines: readonly Buffer[]): void {
    if (lines.length === 0) return;
    if (this.#fd === null) this.#open();
    if (this.#bytes >= this.#options.maxBytes) this.#rotate();
    this.#save();
    const { attributes, format } = this.#options;
    const entries = lines.map((line) => format.encode({ line, stream, time: logTime(), attributes }));
    const bytes =
      typeof entries[0] === 'string' ? Buffer.from(entries.join('')) : Buffer.concat(entries as Buffer[]);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd!, bytes, at);
      this.#bytes += bytes.length;
      this.#events.emit('write');
    } catch (error) {
      // The disk is full: these lines are lost, but none is torn.
      ftruncateSync(this.#fd!, this.#bytes);
      throw error;
    } finally {
      this.#logged[stream] = this.#taken[stream] - this.#splitters[stream].restBytes;
    }
  }

  #continue(checkpoint: Checkpoint, from: OutputPosition): void {
    this.#checkpoint = checkpoint;
    this.#taken = { ...from };
    this.#logged = { ...from };
  }

  /** Before the file changes. */
  #save(): void {
    this.#checkpoint?.save({ inode: this.#inode, size: this.#bytes, ...this.#logged });
    this.#saved = { ...this.#logged };
  }

  #open(): void {
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
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
    this.#save();
    closeSync(this.#fd!);
    this.#fd = null;
    this.rotated.push();
    this.#open();
    this.#events.emit('rotation');
  }
}

/** Where the last whole entry ends. */
function wholeBytes(path: string, format: LogFormat): number {
  using file = new EntryFile(openSync(path, 'r'), format);
  for (const _ of file.read());
  return file.position;
}
