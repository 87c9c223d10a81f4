import { openSync } from 'node:fs';
import type { ContainerLog } from './container-log.ts';
import { EntryFile } from './entry-file.ts';
import type { LogEntry } from './log-entry.ts';

/** Of files that are rotated away before a follower has read them; what is older it misses. */
const maxPendingBytes = 32 * 1024 * 1024;

/**
 * What is written to a log from its making on, and what of `current` was not read. It holds the files open that
 * it has not read yet, so it outlives their rotation and removal, and it never holds the writer up.
 */
export class Follower implements Disposable {
  readonly #log: ContainerLog;
  /** Oldest first. */
  readonly #files: EntryFile[];
  readonly #off: () => void;
  #wake = () => {};

  constructor(log: ContainerLog, current: EntryFile | null) {
    this.#log = log;
    this.#files = current ? [current] : [];
    this.#off = log.listen({
      onWrite: () => {
        if (this.#files.length === 0) this.#open();
        this.#wake();
      },
      onRotation: () => {
        this.#open();
        this.#dropOldest();
      },
    });
  }

  /** Until `ended` is aborted, and all is read, or `signal` is. */
  async *read({
    signal,
    ended,
  }: {
    readonly signal: AbortSignal;
    readonly ended: AbortSignal;
  }): AsyncGenerator<LogEntry> {
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake);
    ended.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        // Before reading, so that nothing slips through.
        const over = ended.aborted;
        const changed = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        const file = this.#files[0];
        if (file) yield* file.read();
        if (this.#files.length > 1) {
          // Dropped meanwhile when it is no more the first.
          if (file === this.#files[0]) this.#files.shift()?.[Symbol.dispose]();
        } else if (over) {
          return;
        } else {
          await changed;
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      ended.removeEventListener('abort', wake);
    }
  }

  [Symbol.dispose](): void {
    this.#off();
    for (const file of this.#files) file[Symbol.dispose]();
  }

  #dropOldest(): void {
    let bytes = this.#files.reduce((sum, file) => sum + file.size, 0);
    while (bytes > maxPendingBytes && this.#files.length > 1) {
      using oldest = this.#files.shift()!;
      bytes -= oldest.size;
    }
  }

  #open(): void {
    this.#files.push(new EntryFile(openSync(this.#log.file, 'r'), this.#log.format));
  }
}
