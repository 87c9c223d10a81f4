/**
 * QEMU's listeners queue two connections that it has not accepted yet; the kernel drops a third one's packets, and tries
 * again after seconds (listen(2)). Nobody says when one is accepted, which takes QEMU a turn of its main loop: with less
 * time than this, 1,000 at once took longer to be let in, emulated.
 */
const mostPending = 2;
const acceptMs = 25;
/**
 * A machine's programs have queues too, often short ones. While so many wait for a first word from there, others
 * come by one way only, as slowly as if there were no other.
 */
const mostUnanswered = 64;
/** Who would have to wait for so many turns has others look for more ways. */
const mostTurns = 4;

/** Of a connection that may begin, by `way`. Who has it says `queued` or `over` at last, else nobody else gets its place. */
export interface Admission<Way> {
  readonly way: Way;
  /** From now on it is in the listener's queue, if anywhere. */
  queued(): void;
  /** It is in no queue: it was refused, or never made. */
  over(): void;
  /** There was an answer, or there will be none. */
  answered(): void;
}

export interface GateOptions<Way> {
  /** Listeners that lead to the same place, at this moment; at least one, the best first. */
  readonly ways: () => readonly Way[];
  /** More of them would help. Said often. */
  readonly crowded?: () => void;
}

/** Lets connections to such listeners begin, a few at a time. */
export class ConnectGate<Way extends object> {
  readonly #ways: () => readonly Way[];
  readonly #crowded: () => void;
  readonly #pending = new Map<Way, number>();
  readonly #waiting: ((admission: Admission<Way>) => void)[] = [];
  #unanswered = 0;

  constructor({ ways, crowded = () => {} }: GateOptions<Way>) {
    this.#ways = ways;
    this.#crowded = crowded;
  }

  /** Resolves when the next may connect. */
  enter(): Promise<Admission<Way>> {
    return new Promise((admit) => {
      this.#waiting.push(admit);
      this.admit();
    });
  }

  /** Lets in who can be; for whoever has changed the ways. */
  admit(): void {
    let way = this.#free();
    while (way !== undefined && this.#waiting.length > 0) {
      this.#waiting.shift()!(this.#admission(way));
      way = this.#free();
    }
    if (this.#isFast() && this.#waiting.length >= mostTurns * mostPending * this.#ways().length)
      this.#crowded();
  }

  /** Whether somebody may be in this listener's queue. */
  isUsed(way: Way): boolean {
    return this.#pending.has(way);
  }

  #isFast(): boolean {
    return this.#unanswered < mostUnanswered;
  }

  #free(): Way | undefined {
    const ways = this.#ways();
    return (this.#isFast() ? ways : ways.slice(0, 1)).find(
      (way) => (this.#pending.get(way) ?? 0) < mostPending,
    );
  }

  #admission(way: Way): Admission<Way> {
    this.#pending.set(way, (this.#pending.get(way) ?? 0) + 1);
    this.#unanswered += 1;
    let timer: NodeJS.Timeout | undefined;
    const leave = onlyOnce(() => {
      clearTimeout(timer);
      const left = this.#pending.get(way)! - 1;
      if (left > 0) this.#pending.set(way, left);
      else this.#pending.delete(way);
      this.admit();
    });
    const answered = onlyOnce(() => {
      this.#unanswered -= 1;
      this.admit();
    });
    return {
      way,
      queued: () => {
        timer ??= setTimeout(leave, acceptMs);
      },
      over: () => {
        leave();
        answered();
      },
      answered,
    };
  }
}

function onlyOnce(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
