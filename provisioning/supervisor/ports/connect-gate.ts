/**
 * QEMU's listeners queue two connections that it has not accepted yet; the kernel drops a third one's packets, and tries
 * again after seconds (listen(2)). Nobody says when one is accepted, which takes QEMU a turn of its main loop: with less
 * time than this, 1,000 at once took longer to be let in, emulated.
 */
const mostPending = 2;
const acceptMs = 25;

/** Of a connection that may begin. Who has it says one of these at last, else nobody else gets its place. */
export interface Admission {
  /** From now on it is in the listener's queue, if anywhere. */
  queued(): void;
  /** It is in no queue: it was refused, or never made. */
  over(): void;
}

/** Lets connections to one such listener begin, a few at a time. */
export class ConnectGate {
  #pending = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when the next may connect. */
  async enter(): Promise<Admission> {
    if (this.#pending === mostPending) await new Promise<void>((next) => this.#waiting.push(next));
    else this.#pending += 1;
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const over = () => {
      clearTimeout(timer);
      if (!isOver) this.#leave();
      isOver = true;
    };
    const queued = () => {
      if (!isOver) timer ??= setTimeout(over, acceptMs);
    };
    return { queued, over };
  }

  /** The place goes to who waits. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#pending -= 1;
  }
}
