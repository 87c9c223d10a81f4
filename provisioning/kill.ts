import { openMachine } from './machine.ts';
import type { MachineStore } from './machine-store.ts';
import { endLastSupervisor } from './supervisor/end.ts';

/** Cuts the power. Idempotent. Throws NotFound. */
export async function killMachine(
  store: MachineStore,
  name: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  await using _lock = await store.lock(name, { signal });
  const { driver, handle } = await openMachine(store, name);
  await driver.kill(handle);
  await endLastSupervisor(store, name);
}
