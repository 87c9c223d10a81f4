import type { Dependencies } from './dependencies.ts';
import type { DurableRecord } from './durable-record.ts';
import type { Runs } from './runs.ts';
import { parseSignal } from './signals.ts';
import { withinSeconds } from './within-seconds.ts';

const SIGKILL = 9;
const defaultStopSeconds = 10;

/** How `stop` asks: the container's own signal and patience unless others are given; -1 = never killed. */
export interface StopOptions {
  readonly signal?: string | undefined;
  readonly seconds?: number | undefined;
}

/** The number of the signal that asks this container to end. */
export function stopSignal({ value: { config } }: DurableRecord): number {
  return parseSignal(config.StopSignal || 'SIGTERM');
}

/** Asks what runs to end, and kills it when it has not in time. Resolves when it has settled. */
export async function stopRun(
  { record, runs }: { readonly record: DurableRecord; readonly runs: Runs },
  { runtime }: Pick<Dependencies, 'runtime'>,
  options: StopOptions,
): Promise<void> {
  const signal = options.signal ? parseSignal(options.signal) : stopSignal(record);
  const { task, settled } = runs;
  if (!task) return;
  const { config, state, id } = record.value;
  if (state.status === 'paused') {
    await runtime.unpause(id);
    record.transition({ type: 'unpaused' });
  }
  task.kill(signal);
  record.publish('kill', { signal: `${signal}` });
  const seconds = options.seconds ?? config.StopTimeout ?? defaultStopSeconds;
  if (await withinSeconds(settled, seconds)) return;
  task.kill(SIGKILL);
  record.publish('kill', { signal: `${SIGKILL}` });
  await settled;
}
