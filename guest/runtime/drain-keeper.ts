import { type FSWatcher, readdirSync, rmSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { drainEnd, drainFifo } from './drain.ts';
import type { RunDirectory } from './run-directory.ts';
import type { Starter } from './starter.ts';

/** All of a stream's segments but its last have this many bytes, so that a position tells file and offset. */
export const segmentBytes = 2 * 1024 * 1024;
/** As many as may be there: the container waits until the oldest is given back. */
const maxSegments = 2;
const retryMs = 1000;

/**
 * Sees to it that one stream of a container's output is drained (drain.ts), into `<name>.0`, `<name>.1`, ...,
 * by the first drain of the monitor, by one that an earlier agent started, or by its own. Only from the first
 * write on: many programs write no errors.
 *
 *   not written ──first write──> draining ──segment full──> draining the next, once there is room for it
 *        └───────over───────┐       └──over and the FIFO's end──┐
 *                           └───────────────────────────────────┴──> ended
 */
export class DrainKeeper {
  readonly #directory: RunDirectory;
  readonly #name: string;
  readonly #starter: Starter;
  readonly #isOver: () => boolean;
  readonly #events: { readonly onFirstWrite: () => void; readonly onEnd: () => void };
  #oldest: number;
  #drain: ReturnType<typeof drainEnd> | null = null;
  #firstWrite: FSWatcher | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  /** `isOver`: the container's first process has ended. Nothing is called back before the constructor returns. */
  constructor(
    directory: RunDirectory,
    name: string,
    options: { starter: Starter; isOver: () => boolean; onFirstWrite: () => void; onEnd: () => void },
  ) {
    this.#directory = directory;
    this.#name = name;
    this.#starter = options.starter;
    this.#isOver = options.isOver;
    this.#events = options;
    const segments = this.#segments();
    this.#oldest = segments[0] ?? 0;
    if (segments.length > 0) this.#follow(drainEnd(directory.io, name), -1);
    else {
      this.#firstWrite = watch(join(directory.io, name), () => this.look());
      setImmediate(() => this.look());
    }
  }

  /** The segment with the oldest bytes that are there. */
  get oldest(): number {
    return this.#oldest;
  }

  file(segment: number): string {
    return this.#directory.file(`${this.#name}.${segment}`);
  }

  /** Segments before this one are not needed any more. */
  giveBack(segment: number): void {
    if (segment <= this.#oldest) return;
    for (; this.#oldest < segment; this.#oldest++) rmSync(this.file(this.#oldest), { force: true });
    this.look();
  }

  /** Does what there is to do. To be called, too, when the container's first process has ended. */
  look(): void {
    if (this.#closed || this.#drain || this.#retry) return;
    if (this.#firstWrite) {
      const written = wasWritten(join(this.#directory.io, this.#name));
      if (!written && this.#isOver()) this.#end();
      if (!written) return;
      this.#events.onFirstWrite();
      this.#firstWrite.close();
      this.#firstWrite = null;
    }
    const newest = this.#segments().at(-1) ?? this.#oldest;
    const size = sizeOf(this.file(newest));
    if (size < segmentBytes) this.#start(newest, size);
    else if (newest + 1 - this.#oldest < maxSegments) this.#start(newest + 1, 0);
  }

  /** Leaves the drain to itself. */
  close(): void {
    this.#closed = true;
    this.#drain?.destroy();
    this.#firstWrite?.close();
    if (this.#retry) clearTimeout(this.#retry);
  }

  #start(segment: number, size: number): void {
    const fifo = drainFifo(this.#directory.io, this.#name);
    const args = [this.#directory.path, this.#name, segment, segmentBytes - size];
    this.#follow(this.#starter.start('drain', fifo, args), size);
  }

  /** `size` of the segment at the start; -1 when not known. */
  #follow(drain: ReturnType<typeof drainEnd>, size: number): void {
    this.#drain = drain;
    drain.once('close', () => {
      this.#drain = null;
      if (this.#closed) return;
      const now = sizeOf(this.file(this.#segments().at(-1) ?? this.#oldest));
      if (now < segmentBytes && this.#isOver()) this.#end();
      // Somebody killed it, or it could neither be started nor write: not again and again at once.
      else if (now === size)
        this.#retry = setTimeout(() => {
          this.#retry = null;
          this.look();
        }, retryMs);
      else this.look();
    });
  }

  #end(): void {
    this.close();
    this.#events.onEnd();
  }

  #segments(): number[] {
    const prefix = `${this.#name}.`;
    return readdirSync(this.#directory.path)
      .filter((file) => file.startsWith(prefix))
      .map((file) => Number(file.slice(prefix.length)))
      .sort((a, b) => a - b);
  }
}

/** A FIFO's times are equal until it is used (mknod(2)); a drain that reads it is not asked any more. */
function wasWritten(fifo: string): boolean {
  const { mtimeNs, atimeNs } = statSync(fifo, { bigint: true });
  return mtimeNs !== atimeNs;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
