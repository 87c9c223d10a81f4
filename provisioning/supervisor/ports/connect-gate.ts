/**
 * QEMU's listeners queue two connections that it has not accepted yet; the kernel drops a third one's packets, and tries
 * again after seconds (listen(2)). Nobody says when one is accepted, which takes QEMU a turn of its main loop.
 */
const mostPending = 2;
const acceptMs = 25;

/** Lets connections to one such listener begin, a few at a time. */
export class ConnectGate {
  #pending = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when the next may connect. It calls the function when it is connected, or has failed. */
  async enter(): Promise<() => void> {
    if (this.#pending === mostPending) await new Promise<void>((next) => this.#waiting.push(next));
    else this.#pending += 1;
    return () => void setTimeout(() => this.#leave(), acceptMs);
  }

  /** The place goes to who waits. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#pending -= 1;
  }
}
