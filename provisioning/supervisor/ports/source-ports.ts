/** In the range of every system's for connections that programs make: Linux' ends at 60999, the others' begin here. */
const range = { first: 49_152, last: 60_999 };

/**
 * Ports that connections to QEMU's forwards come from, each given out once at a time. A machine knows such a connection
 * by this port and by its own: two forwards of one port with two connections from one number would be the same to it,
 * and systems do give out a number twice when the addresses differ that it is used for.
 */
export class SourcePorts {
  readonly #taken = new Set<number>();
  #next: number;

  constructor(random: () => number = Math.random) {
    this.#next = range.first + Math.floor(random() * (range.last + 1 - range.first));
  }

  /** The one that was not used for longest; 0, which leaves it to the system, when all are taken. */
  take(): number {
    for (let tries = range.first; tries <= range.last; tries++) {
      const port = this.#next;
      this.#next = port === range.last ? range.first : port + 1;
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      return port;
    }
    return 0;
  }

  /** Idempotent. */
  give(port: number): void {
    this.#taken.delete(port);
  }
}
