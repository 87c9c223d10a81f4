import { rm } from 'node:fs/promises';
import { removeContext } from './docker-context/context.ts';
import { unlinkSystemSocket } from './docker-context/system-socket.ts';
import { openMachine } from './machine.ts';
import type { MachineStore } from './machine-store.ts';
import { endSupervisor } from './supervisor/end.ts';
import { apiSocketOf } from './supervisor/socket/path.ts';

export interface RemoveOptions {
  readonly signal: AbortSignal;
  /** Forget the machine whatever its driver says, even when its record cannot be read. */
  readonly force?: boolean;
  /** Told what `force` passed over. */
  readonly onWarning?: (text: string) => void;
}

/** Destroys a machine and everything of it. Throws NotFound. */
export async function removeMachine(
  store: MachineStore,
  name: string,
  { signal, force = false, onWarning }: RemoveOptions,
): Promise<void> {
  await using _lock = await store.lock(name, { signal });
  if (!(force && (await store.has(name)))) await store.load(name);
  try {
    await discard(store, name);
  } catch (error) {
    if (!force) throw error;
    onWarning?.(
      `machine "${name}" is forgotten, but: ${error instanceof Error ? error.message : String(error)}`,
    );
    await store.forget(name);
  }
}

/**
 * Takes back whatever there is of a machine, whole or half made: first what its driver made, which needs
 * the record, then its supervisor, then what leads to its socket, and its directory. The caller has the machine's lock. Idempotent.
 */
export async function discard(store: MachineStore, name: string): Promise<void> {
  if (await store.has(name)) {
    const { driver, handle } = await openMachine(store, name);
    if (handle.state !== null) await driver.remove(handle);
  }
  await endSupervisor(store, name);
  await disconnect(store, name);
  await store.forget(name);
}

/**
 * What leads to a machine's socket on this computer. Where that cannot be changed it stays and leads nowhere, which is
 * no reason to keep the machine.
 */
async function disconnect(store: MachineStore, name: string): Promise<void> {
  await removeContext(store, name).catch(() => {});
  await unlinkSystemSocket(store, name).catch(() => false);
  const { shortDirectory } = apiSocketOf(store.machine(name));
  if (shortDirectory !== null) await rm(shortDirectory, { recursive: true, force: true });
}
