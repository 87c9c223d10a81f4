import { closeSync, existsSync, openSync, readFileSync, rmSync, writevSync } from 'node:fs';
import type { LogEntry } from './log-entry.ts';

/** A log as it was before a piece of output was taken, and that piece. */
export interface Redo {
  /** Of the log file: which one, and how long it was. */
  readonly inode: number;
  readonly size: number;
  /** Beginnings of lines that have no end yet, and so are not in the log. */
  readonly rests: Readonly<Record<LogEntry['stream'], Buffer>>;
  readonly stream: LogEntry['stream'];
  readonly chunk: Buffer;
}

/**
 * Holds one {@link Redo}: a head line, then the bytes it counts, then a line that repeats its sequence number.
 * What comes out of a FIFO comes once; here it is safe, by one write before it is looked at. Not synced: this
 * is against the death of the agent, which containers survive, and not of the computer, which they do not.
 */
export class RedoFile {
  readonly #path: string;
  #fd: number | null = null;
  #sequence = 0;

  constructor(path: string) {
    this.#path = path;
  }

  save({ rests, chunk, ...where }: Redo): void {
    this.#fd ??= openSync(this.#path, 'w', 0o600);
    const sequence = ++this.#sequence;
    const lengths = [rests.stdout.length, rests.stderr.length, chunk.length];
    const head = Buffer.from(`${JSON.stringify({ sequence, lengths, ...where })}\n`);
    writevSync(this.#fd, [head, rests.stdout, rests.stderr, chunk, Buffer.from(`${sequence}\n`)], 0);
  }

  /** Null when there is none, or it was cut short: the agent died in the very write. */
  load(): Redo | null {
    if (!existsSync(this.#path)) return null;
    const bytes = readFileSync(this.#path);
    let at = bytes.indexOf('\n') + 1;
    try {
      const { sequence, lengths, ...where } = JSON.parse(bytes.toString('latin1', 0, at));
      const [stdout, stderr, chunk] = (lengths as number[]).map((length) => {
        at += length;
        return bytes.subarray(at - length, at);
      });
      const whole = bytes.toString('latin1', at).startsWith(`${sequence}\n`);
      return whole ? { ...where, rests: { stdout, stderr }, chunk } : null;
    } catch {
      return null;
    }
  }

  remove(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    rmSync(this.#path, { force: true });
  }
}
