import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { OutputPosition } from '../runtime/runtime.ts';

/** A log's file, and how much of the container's output is in it. */
export interface LoggedPosition extends OutputPosition {
  readonly inode: number;
  readonly size: number;
}

const recordBytes = 128;

/**
 * Says, before the log grows, what it was: whoever finds it after the death of an agent cuts the log back to
 * that and takes the output from there on again. One write of less than a page, which a kill does not tear.
 * Not synced: it belongs to the run, which ends with the computer.
 */
export class Checkpoint {
  readonly #path: string;
  #fd: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  save({ inode, size, stdout, stderr }: LoggedPosition): void {
    this.#fd ??= openSync(this.#path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    const text = `${inode} ${size} ${stdout} ${stderr}`;
    writeSync(this.#fd, `${text.padEnd(recordBytes - 1)}\n`, 0);
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  /** Null when none was saved. */
  load(): LoggedPosition | null {
    try {
      const text = readFileSync(this.#path, 'utf8');
      if (text.length < recordBytes) return null;
      const [inode, size, stdout, stderr] = text.split(' ').map(Number) as [number, number, number, number];
      return { inode, size, stdout, stderr };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}
