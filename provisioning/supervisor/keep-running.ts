import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from './log.ts';
import type { Service, ServiceContext } from './service.ts';
import type { ServiceState } from './state.ts';

/** After a run that was this long, the next failure is a first one again. */
const settledMs = 60_000;

/** How long to wait after the `failures`th failure in a row: 250 ms, doubled each time, half a minute at most. */
export function retryDelayMs(failures: number): number {
  return Math.min(250 * 2 ** (failures - 1), 30_000);
}

export interface KeepRunningOptions extends Omit<ServiceContext, 'ready'> {
  readonly onState: (state: ServiceState) => void;
  readonly delayMs?: (failures: number) => number;
}

/** Runs a service until `signal` aborts, again whenever it fails. Never throws. */
export async function keepRunning(
  service: Service,
  { onState, delayMs = retryDelayMs, ...context }: KeepRunningOptions,
): Promise<void> {
  const { signal, log } = context;
  for (let failures = 0; !signal.aborted; ) {
    const began = performance.now();
    let over = false;
    const ready = () => {
      if (!over) onState({ ready: true, error: null });
    };
    try {
      await service.run({ ...context, ready });
      if (signal.aborted) return;
      throw new Error('it ended by itself');
    } catch (error) {
      over = true;
      if (signal.aborted) return;
      failures = performance.now() - began > settledMs ? 1 : failures + 1;
      const wait = delayMs(failures);
      log.error(`failed, and is run again in ${wait} ms`, error);
      onState({ ready: false, error: reasonOf(error) });
      await delay(wait, undefined, { signal }).catch(() => {});
    }
  }
}
