/**
 * Lets requests run side by side and yet give what they would give one after the other, as the protocol
 * demands of those for the same file: what only looks goes together, what changes something goes alone, and
 * none overtakes one of the other kind.
 */
export class RequestOrder {
  #lastChange: Promise<unknown> = Promise.resolve();
  #lookers = new Set<Promise<unknown>>();

  look(work: () => Promise<void>): Promise<void> {
    const done = this.#lastChange.then(work);
    const lookers = this.#lookers;
    const settled: Promise<unknown> = done.then(ignore, ignore).then(() => lookers.delete(settled));
    lookers.add(settled);
    return done;
  }

  change(work: () => Promise<void>): Promise<void> {
    const before = Promise.all([this.#lastChange, ...this.#lookers]);
    const done = before.then(work);
    this.#lastChange = done.then(ignore, ignore);
    this.#lookers = new Set();
    return done;
  }
}

function ignore(): void {}
