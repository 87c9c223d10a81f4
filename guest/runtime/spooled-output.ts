import { closeSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { openIfThere } from '../host/open-if-there.ts';
import { DrainKeeper, segmentBytes } from './drain-keeper.ts';
import type { RunDirectory } from './run-directory.ts';
import type { Starter } from './starter.ts';

const readBytes = 64 * 1024;

/**
 * One stream of a container's output, read from the segments to which drains move it, from any position that
 * was not acknowledged. A position counts the stream's bytes since the start of the run. Ends when the
 * container is over and the last process that could write has gone.
 */
export class SpooledOutput extends Readable {
  readonly #keeper: DrainKeeper;
  readonly #onFirstBytes: () => void;
  readonly #block = Buffer.allocUnsafe(readBytes);
  #position: number;
  #fd: number | null = null;
  #wanted = false;
  #held = false;
  #drained = false;

  /** `from`: what came before is not read; it may be acknowledged already. */
  constructor(
    directory: RunDirectory,
    name: 'stdout' | 'stderr',
    options: {
      readonly starter: Starter;
      readonly from: number;
      readonly isOver: () => boolean;
      /** Something was written, and will be read soon. */
      readonly onFirstWrite?: () => void;
      /** The first bytes are read, or there are none. */
      readonly onFirstBytes?: () => void;
    },
  ) {
    super({ highWaterMark: readBytes });
    this.#onFirstBytes = options.onFirstBytes ?? (() => {});
    this.#keeper = new DrainKeeper(directory, name, {
      starter: options.starter,
      isOver: options.isOver,
      onFirstWrite: options.onFirstWrite ?? (() => {}),
      onEnd: () => {
        this.#drained = true;
        this.#onFirstBytes();
        this.#advance();
      },
    });
    this.#position = Math.max(options.from, this.#keeper.oldest * segmentBytes);
    directory.onSegment(name, () => this.#advance());
  }

  /** What came before this position, of what was given, is not needed any more. */
  acknowledge(position: number): void {
    this.#keeper.giveBack(Math.floor(Math.min(position, this.#position) / segmentBytes));
  }

  /** The container's first process has ended. */
  over(): void {
    this.#keeper.look();
  }

  /** Gives nothing more until it is released. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#advance();
  }

  override _read(): void {
    this.#wanted = true;
    // Others have their turn between two blocks.
    setImmediate(() => this.#advance());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#keeper.close();
    this.#closeSegment();
    callback(error);
  }

  /** Reads on, if somebody wants it and there is something. */
  #advance(): void {
    while (this.#wanted && !this.#held && !this.destroyed) {
      const block = this.#readBlock();
      if (block) {
        this.#wanted = false;
        this.push(block);
        this.#onFirstBytes();
      } else {
        if (this.#drained) this.push(null);
        return;
      }
    }
  }

  #readBlock(): Buffer | null {
    const offset = this.#position % segmentBytes;
    this.#fd ??= openIfThere(this.#keeper.file(Math.floor(this.#position / segmentBytes)));
    if (this.#fd === null) return null;
    const length = readSync(this.#fd, this.#block, 0, readBytes, offset);
    this.#position += length;
    if (offset + length === segmentBytes) this.#closeSegment();
    return length > 0 ? Buffer.from(this.#block.subarray(0, length)) : null;
  }

  #closeSegment(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}
