import { statfsSync } from 'node:fs';
import type { BuildCacheRecord, CachePruneOptions } from '../build.ts';

/** A tenth of the disk, which is what BuildKit keeps by default. */
const partOfDisk = 10;

/** Builds often come one after the other: none of them is to wait for what is measured and removed. */
const quietMs = 5000;

/** What a cache may grow to when nobody says: in bytes. */
export function defaultCacheLimit(directory: string): number {
  const { bsize, blocks } = statfsSync(directory);
  return Math.floor((bsize * blocks) / partOfDisk);
}

/**
 * Keeps the cache below its limit by itself: least recently used first, while no build runs. What images have too
 * neither counts nor goes.
 */
export class CacheKeeper {
  readonly #limitBytes: number;
  readonly #prune: (options: CachePruneOptions) => Promise<BuildCacheRecord[]>;
  readonly #onError: (error: unknown) => void;
  readonly #delayMs: number;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param options.limitBytes 0 = none */
  constructor(options: {
    readonly limitBytes: number;
    readonly prune: (options: CachePruneOptions) => Promise<BuildCacheRecord[]>;
    readonly onError: (error: unknown) => void;
    readonly delayMs?: number;
  }) {
    this.#limitBytes = options.limitBytes;
    this.#prune = options.prune;
    this.#onError = options.onError;
    this.#delayMs = options.delayMs ?? quietMs;
  }

  /** A build runs until it is disposed of. */
  build(): Disposable {
    this.#running++;
    clearTimeout(this.#timer);
    return {
      [Symbol.dispose]: () => {
        this.#running--;
        if (this.#running === 0 && this.#limitBytes > 0) this.#later();
      },
    };
  }

  #later(): void {
    this.#timer = setTimeout(() => {
      const options = { all: false, keepBytes: this.#limitBytes, filters: new Map() };
      this.#prune(options).catch(this.#onError);
    }, this.#delayMs);
    // An engine that ends has no need of it.
    this.#timer.unref();
  }
}
