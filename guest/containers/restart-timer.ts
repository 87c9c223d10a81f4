import { restartDelayMs } from './restart-policy.ts';

/** The pause before a restart: longer each time, until a run was long enough to count as good. */
export class RestartTimer {
  #timer: NodeJS.Timeout | undefined;
  #lastDelayMs = 0;

  /** Calls `start` once, later; `ranMs` is how long the last run went well. */
  schedule(ranMs: number, start: () => void): void {
    this.#lastDelayMs = restartDelayMs(this.#lastDelayMs, ranMs);
    this.#timer = setTimeout(start, this.#lastDelayMs);
  }

  /** Forgets the runs so far, too: somebody has decided by hand. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#lastDelayMs = 0;
  }
}
