import type { Machine } from '../machine.ts';
import type { MachineStore } from '../machine-store.ts';
import { startSupervisor } from './launch.ts';
import { livingSupervisor } from './state.ts';

/**
 * For commands that talk to a machine that runs: starts its supervisor again when that has died, and does not wait
 * for it. Costs one small file as long as it lives. Never throws.
 */
export async function reviveSupervisor(
  store: MachineStore,
  { driver, paths, record }: Machine,
): Promise<void> {
  if (driver.whenOff === undefined) return;
  try {
    if ((await livingSupervisor(paths)) !== null) return;
    void startSupervisor(store, record.Name);
  } catch {
    // What was asked for does not depend on it; `machine doctor` says what is wrong.
  }
}
