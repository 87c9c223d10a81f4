import type { Digest } from '../digest.ts';

/**
 * Holds what unfinished work needs and no record names yet: chain ids of layers, digests of blobs. To be
 * disposed of when the record that names them is written, or when there will be none.
 */
export interface Lease extends Disposable {
  /** From now on no collection takes it. Hold first, then look whether it is there. Idempotent. */
  hold(digest: Digest): void;
}

/**
 * Leases keep garbage collection off the work of others: a load, commit, pull or build opens one, holds each
 * layer and blob that it finds or makes, writes the image's record and disposes of the lease. A collection
 * takes what no record names and no open lease holds, at any time and without waiting. Leases live in
 * memory: what a crash leaves unnamed is swept by the first collection after the next start.
 */
export class Leases {
  readonly #open = new Set<ReadonlySet<Digest>>();
  readonly #onEnd: () => void;

  /** @param onEnd called after each lease: what it alone held may be garbage now */
  constructor(onEnd: () => void = () => {}) {
    this.#onEnd = onEnd;
  }

  open(): Lease {
    const held = new Set<Digest>();
    this.#open.add(held);
    return {
      hold: (digest) => void held.add(digest),
      [Symbol.dispose]: () => {
        if (this.#open.delete(held)) this.#onEnd();
      },
    };
  }

  /** All that open leases hold. */
  held(): ReadonlySet<Digest> {
    return new Set([...this.#open].flatMap((digests) => [...digests]));
  }
}
