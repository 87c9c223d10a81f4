import { maxLineBytes } from './log-entry.ts';

const newline = 0x0a;

/** Cuts one stream's bytes into lines; a line longer than 16 KiB comes in parts. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** How many bytes there are of a line whose end has not come. */
  get restBytes(): number {
    return this.#rest.length;
  }

  /** Complete lines (with their newline) and full parts. They share the chunk's memory. */
  push(chunk: Buffer): Buffer[] {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const lines: Buffer[] = [];
    let start = 0;
    for (;;) {
      const found = data.indexOf(newline, start) + 1;
      let end = found;
      if (found === 0 || found - start > maxLineBytes) {
        if (data.length - start <= maxLineBytes) break;
        end = characterStart(data, start + maxLineBytes);
      }
      lines.push(data.subarray(start, end));
      start = end;
    }
    // A copy: it would keep all of the chunk's memory.
    this.#rest = Buffer.from(data.subarray(start));
    return lines;
  }

  /** What came after the last newline. */
  end(): Buffer[] {
    const lines = this.#rest.length > 0 ? [this.#rest] : [];
    this.#rest = Buffer.alloc(0);
    return lines;
  }
}

/** A UTF-8 character has at most three bytes after its first, 10xxxxxx each. */
function characterStart(data: Buffer, at: number): number {
  for (let start = at; start > at - 4; start--) if ((data[start]! & 0xc0) !== 0x80) return start;
  return at;
}
