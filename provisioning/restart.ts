import { openMachine } from './machine.ts';
import type { MachineStore } from './machine-store.ts';
import { prepareStart, type StartOptions, startLocked } from './start.ts';
import { stopLocked } from './stop.ts';

/**
 * Stops cleanly, then starts; a stopped machine is started. Nobody else gets in between, and a machine that cannot be
 * started as asked runs on. Throws NotFound.
 */
export async function restartMachine(
  store: MachineStore,
  name: string,
  options: StartOptions,
): Promise<void> {
  await using _lock = await store.lock(name, { signal: options.signal });
  const image = await prepareStart(store, await openMachine(store, name), options);
  await options.progress.step('Stopping the machine', () => stopLocked(store, name, options));
  await startLocked(store, name, options, image);
}
