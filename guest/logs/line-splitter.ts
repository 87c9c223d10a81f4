import { maxLineBytes } from './log-entry.ts';

/** Cuts one stream's bytes into lines; a line longer than 16 KiB comes in parts. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The beginning of a line whose end has not come. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Complete lines (with their newline) and full parts. */
  push(chunk: Buffer): string[] {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const lines: string[] = [];
    for (;;) {
      const newline = data.indexOf(0x0a);
      if (newline < 0 && data.length < maxLineBytes) break;
      const end = newline < 0 || newline >= maxLineBytes ? maxLineBytes : newline + 1;
      lines.push(data.toString('utf8', 0, end));
      data = data.subarray(end);
    }
    // A copy: the chunk's memory belongs to the socket.
    this.#rest = Buffer.from(data);
    return lines;
  }

  /** What came after the last newline. */
  end(): string[] {
    const lines = this.#rest.length > 0 ? [this.#rest.toString()] : [];
    this.#rest = Buffer.alloc(0);
    return lines;
  }
}
