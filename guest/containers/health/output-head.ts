import type { Readable } from 'node:stream';

/** More of a probe's output is not kept (moby, daemon/health.go). */
export const keptBytes = 4096;

/** The beginning of what comes out of some streams, in the order in which it comes; the rest is read and dropped. */
export class OutputHead {
  /** Resolves when all streams have ended. */
  readonly complete: Promise<unknown>;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #truncated = false;

  constructor(streams: readonly Readable[]) {
    this.complete = Promise.all(streams.map((stream) => this.#read(stream)));
  }

  get text(): string {
    const text = Buffer.concat(this.#chunks).toString();
    return this.#truncated ? `${text}...` : text;
  }

  #read(stream: Readable): Promise<void> {
    stream.on('data', (chunk: Buffer) => {
      const kept = chunk.subarray(0, keptBytes - this.#length);
      if (kept.length > 0) this.#chunks.push(kept);
      this.#length += kept.length;
      this.#truncated ||= kept.length < chunk.length;
    });
    // An error of a FIFO is its end; `close` follows.
    stream.on('error', () => {});
    return new Promise((resolve) => {
      if (stream.closed) resolve();
      else stream.once('close', () => resolve());
    });
  }
}
