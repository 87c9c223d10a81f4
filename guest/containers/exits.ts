import { EventEmitter } from 'node:events';
import type { State } from './state.ts';

export interface WaitResult {
  readonly exitCode: number;
  readonly error: string;
}

export const waitConditions = ['not-running', 'next-exit', 'removed'] as const;
export type WaitCondition = (typeof waitConditions)[number];

/** Who waits for a container to exit or to be removed. */
export class Exits {
  readonly #news = new EventEmitter().setMaxListeners(0);

  tell(what: 'exited' | 'removed', result: WaitResult): void {
    this.#news.emit(what, result);
  }

  /** The next exit, or the removal, which also ends a wait for an exit. Rejects with the signal's reason. */
  next(what: 'exited' | 'removed', signal: AbortSignal): Promise<WaitResult> {
    return new Promise((resolve, reject) => {
      const off = () => {
        this.#news.off(what, done);
        this.#news.off('removed', done);
        signal.removeEventListener('abort', gone);
      };
      const done = (result: WaitResult) => {
        off();
        resolve(result);
      };
      const gone = () => {
        off();
        reject(signal.reason);
      };
      if (signal.aborted) return gone();
      this.#news.on(what, done);
      if (what !== 'removed') this.#news.on('removed', done);
      signal.addEventListener('abort', gone);
    });
  }
}

/** How a container that does not run ended last; 0 when it never ran. */
export function lastExit(state: State): WaitResult {
  return 'exitCode' in state ? { exitCode: state.exitCode, error: state.error } : { exitCode: 0, error: '' };
}
