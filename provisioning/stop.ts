import { Timeout } from '../drivers/errors.ts';
import { openMachine } from './machine.ts';
import type { MachineStore } from './machine-store.ts';
import { endLastSupervisor } from './supervisor/end.ts';

/** Containers get ten seconds to end, then the guest unmounts; an emulated one is slow at both. */
const shutdownDeadlineMs = 90_000;

export interface StopOptions {
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
}

/** Shuts a machine down cleanly. Resolves with whether it was on. Throws NotFound, or Timeout when it does not end. */
export async function stopMachine(store: MachineStore, name: string, options: StopOptions): Promise<boolean> {
  await using _lock = await store.lock(name, { signal: options.signal });
  return await stopLocked(store, name, options);
}

/** As stopMachine, for a caller that has the machine's lock. */
export async function stopLocked(
  store: MachineStore,
  name: string,
  { signal, deadlineMs = shutdownDeadlineMs }: StopOptions,
): Promise<boolean> {
  const { driver, handle } = await openMachine(store, name);
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const wasOn = (await driver.status(handle)).status !== 'stopped';
    await driver.stop(handle, { signal: AbortSignal.any([signal, deadline]) });
    // Last, since containers may write to the host's directories until they end.
    await endLastSupervisor(store, name);
    return wasOn;
  } catch (cause) {
    if (!deadline.aborted || signal.aborted) throw cause;
    const text = `machine "${name}" did not shut down within ${deadlineMs / 1000} s`;
    throw new Timeout(`${text}; machine kill ${name} turns it off`, { cause });
  }
}
