/**
 * Questions of one container at a time. The host resolves a dozen names at once (provisioning/supervisor/launch.ts), and one
 * that asks for names which nobody answers for should leave most of that to others.
 */
const mostOfOne = 4;
/** Further ones wait, which is soon over where names are answered. */
const mostWaiting = 124;
/** Of everybody: what they hold in memory is bounded. */
const mostInAll = 512;
/** Who has waited for so long asks again, or has given up; an answer would hold up those who have not. */
const staleMs = 4000;

interface Asker {
  running: number;
  readonly waiting: (() => void)[];
}

/** How many questions are under way, and whose. */
export class AskingBounds {
  readonly #askers = new Map<string, Asker>();
  readonly #now: () => number;
  #all = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Runs `ask` when it is its turn; null at once when too many wait, and when that turn comes too late. */
  async within<Answer>(name: string, ask: () => Promise<Answer>): Promise<Answer | null> {
    const asker = this.#askers.get(name) ?? { running: 0, waiting: [] };
    if (this.#all >= mostInAll || asker.waiting.length >= mostWaiting) return null;
    this.#askers.set(name, asker);
    this.#all += 1;
    const since = this.#now();
    try {
      if (asker.running < mostOfOne) asker.running += 1;
      // Who ends leaves his place to the next.
      else await new Promise<void>((resolve) => asker.waiting.push(resolve));
      return this.#now() - since > staleMs ? null : await ask();
    } finally {
      this.#all -= 1;
      this.#leave(name, asker);
    }
  }

  #leave(name: string, asker: Asker): void {
    const next = asker.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    asker.running -= 1;
    if (asker.running === 0) this.#askers.delete(name);
  }
}
