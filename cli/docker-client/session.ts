import type { Duplex, Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { demultiplex } from './frames.ts';
import { onResize, print, rawMode, type Streams, type TerminalSize, terminalSize } from './terminal.ts';

export interface SessionOptions {
  readonly tty: boolean;
  /** Sends what comes in; its end closes our half of the connection, so that the other side sees the end too. */
  readonly stdin: boolean;
  readonly multiplexed: boolean;
  readonly resize: (size: TerminalSize) => Promise<unknown>;
}

/** A person's end of a container's streams. */
export class Session {
  readonly #streams: Streams;
  readonly #options: SessionOptions;
  readonly #undo: (() => void)[] = [];
  /** Resolves when the container's output has ended and is printed. */
  readonly output: Promise<void>;

  constructor(socket: Duplex, streams: Streams, options: SessionOptions) {
    this.#streams = streams;
    this.#options = options;
    this.output = printOutput(socket, streams, options.multiplexed);
    // Whoever awaits it hears of an error; nobody may be there yet when it comes.
    this.output.catch(() => {});
    if (options.stdin) this.#sendAll(socket);
  }

  /** Takes the keyboard and follows the window's size; call it when the process runs. */
  async begin(): Promise<void> {
    if (!this.#options.tty) return;
    // A size that cannot be set (the process has just ended) is no reason to stop.
    const resize = (size: TerminalSize) => this.#options.resize(size).catch(() => {});
    if (this.#options.stdin) this.#undo.push(rawMode(this.#streams));
    this.#undo.push(onResize(this.#streams, resize));
    const size = terminalSize(this.#streams);
    if (size) await resize(size);
  }

  /** Gives the terminal back and lets go of stdin, which would keep this process alive. Idempotent. */
  end(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #sendAll(socket: Duplex): void {
    const { stdin } = this.#streams;
    // The container may end first; what it did not read is nobody's loss.
    socket.on('error', () => {});
    stdin.pipe(socket);
    this.#undo.push(() => {
      stdin.unpipe(socket);
      stdin.pause();
      stdin.unref?.();
    });
  }
}

/** Prints a container's output as it comes, until it ends. */
export async function printOutput(source: Readable, streams: Streams, multiplexed: boolean): Promise<void> {
  const { stdout, stderr } = streams;
  if (!multiplexed) {
    for await (const piece of source) await print(stdout, piece as Buffer);
    return;
  }
  const pieces = demultiplex((stream, piece) => print(stream === 'stdout' ? stdout : stderr, piece));
  await Promise.all([pipeline(source, pieces), finished(pieces.resume())]);
}
