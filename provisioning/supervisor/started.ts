import type { Machine } from '../machine.ts';
import type { MachineStore } from '../machine-store.ts';
import type { PowerOnOptions } from '../power-on.ts';

/**
 * The end of a start: the machine gets its supervisor, and what that could not make ready is said. Nothing for
 * drivers whose machines have none. Never throws.
 */
export async function superviseStarted(
  store: MachineStore,
  machine: Machine,
  { signal, progress }: Pick<PowerOnOptions, 'signal' | 'progress'>,
): Promise<void> {
  if (machine.driver.whenOff === undefined) return;
  const { ensureSupervised } = await import('./launch.ts');
  await progress.step('Connecting this computer', () =>
    ensureSupervised(store, machine, { signal, onWarning: (text) => progress.note(text) }),
  );
}
