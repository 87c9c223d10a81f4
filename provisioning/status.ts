import type { Machine } from './machine.ts';
import type { MachineStore } from './machine-store.ts';

/** docker-machine's words. `Saved` is a machine whose memory is on disk; `Timeout`, one that was not asked in time. */
export const machineStates = [
  'Running',
  'Paused',
  'Saved',
  'Stopped',
  'Stopping',
  'Starting',
  'Error',
  'Timeout',
] as const;
export type MachineState = (typeof machineStates)[number];

export interface MachineStatus {
  readonly state: MachineState;
  /** Why, when it is `Error`. */
  readonly errors: readonly string[];
}

const words = { running: 'Running', paused: 'Paused', stopped: 'Stopped' } as const;

/** Derived from what really runs, never from a stored word. */
export async function machineStatus(
  store: MachineStore,
  { record, driver, handle }: Machine,
): Promise<MachineStatus> {
  if (record.Phase === 'creating') {
    if (await store.lockHolder(record.Name)) return { state: 'Starting', errors: [] };
    const left = `its creation was interrupted; machine rm ${record.Name} removes what is left`;
    return { state: 'Error', errors: [left] };
  }
  const status = await driver.status(handle);
  return status.status === 'broken'
    ? { state: 'Error', errors: status.errors }
    : { state: words[status.status], errors: [] };
}
