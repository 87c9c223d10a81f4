import type { Listener } from './args.ts';
import { QmpClient } from './qmp.ts';

/** A share of a connection to QEMU, given back by disposing of it. */
export interface MonitorLease extends AsyncDisposable {
  readonly client: QmpClient;
  /** Resolves when QEMU is gone; throws the reason of `signal`. */
  whenClosed(signal: AbortSignal): Promise<void>;
}

interface Shared {
  readonly client: Promise<QmpClient>;
  leases: number;
}

/**
 * Connections to the monitors that supervisors have for themselves (`watch`). QEMU serves one client a monitor, and
 * several services of one supervisor want it: they share a client, which sends their commands one after the other
 * and hands each its answer. It is closed when the last of them gives it back.
 */
export class SharedMonitors {
  readonly #shared = new Map<string, Shared>();

  /** Throws what QmpClient.connect throws. The socket must be there. */
  async lease(listener: Listener, signal: AbortSignal): Promise<MonitorLease> {
    const key = JSON.stringify(listener);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      // Not this caller's signal: others may wait for the same connection.
      shared = {
        client: QmpClient.connect(listener, { signal: AbortSignal.timeout(10_000), once: true }),
        leases: 0,
      };
      this.#shared.set(key, shared);
    }
    const mine = shared;
    mine.leases += 1;
    const release = async () => {
      mine.leases -= 1;
      if (mine.leases > 0) return;
      this.#forget(key, mine);
      const client = await mine.client.catch(() => null);
      await client?.[Symbol.asyncDispose]();
    };
    try {
      const client = await mine.client;
      void client.closed.then(() => this.#forget(key, mine));
      signal.throwIfAborted();
      return {
        client,
        whenClosed: (until) => orAborted(client.closed, until),
        [Symbol.asyncDispose]: release,
      };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** The next one who asks gets a new connection. */
  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
