import type { EndpointLink } from '../endpoint.ts';
import type { NetworkNamespace } from '../links/network-namespace.ts';

/** A namespace with its link into the default bridge, complete with address and route. */
export interface SpareSandbox {
  readonly namespace: NetworkNamespace;
  readonly link: EndpointLink;
}

/**
 * Sandboxes made ahead, so that a container on the default bridge waits for no process at all. What was taken is
 * made up for when nothing was taken for a while: not while the container that took it starts.
 */
export class SpareSandboxes {
  readonly #count: number;
  readonly #quietMs: number;
  readonly #make: () => Promise<SpareSandbox>;
  readonly #spares: SpareSandbox[] = [];
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #making: Promise<void> = Promise.resolve();

  constructor(options: {
    readonly count: number;
    readonly quietMs: number;
    readonly make: () => Promise<SpareSandbox>;
  }) {
    this.#count = options.count;
    this.#quietMs = options.quietMs;
    this.#make = options.make;
  }

  /** Null when there is none just now. */
  take(): SpareSandbox | null {
    this.refillLater();
    return this.#spares.shift() ?? null;
  }

  refillLater(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = this.#closed ? null : setTimeout(() => void this.refill(), this.#quietMs).unref();
  }

  /** Never rejects: without spares, sandboxes are made when they are needed, and then the error is told. */
  refill(): Promise<void> {
    this.#making = this.#making.then(async () => {
      try {
        while (!this.#closed && this.#spares.length < this.#count) this.#spares.push(await this.#make());
      } catch {
        // Told to whoever next needs one.
      }
    });
    return this.#making;
  }

  /** Lets go of all of them. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#making;
    for (const spare of this.#spares.splice(0)) spare.namespace.release();
  }
}
