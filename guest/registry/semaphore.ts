/** Lets a number of works go on at a time; the others wait in order. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** @param onWait called when there is no place yet */
  async run<T>(work: () => Promise<T>, onWait: () => void = () => {}): Promise<T> {
    if (this.#free > 0) this.#free--;
    else {
      onWait();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
