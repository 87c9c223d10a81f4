import { dirname } from 'node:path';
import type { Forward } from '../../../drivers/port-forwarder.ts';
import type { Machine } from '../../machine.ts';
import { openMachine } from '../../machine.ts';
import { MachineStore } from '../../machine-store.ts';
import { storePaths } from '../../paths.ts';
import type { Taker } from './failure.ts';
import { findHolder } from './listeners.ts';

/** Who has a port that `machine` was to forward. Never throws. */
export async function findTaker(forward: Forward, machine: Machine): Promise<Taker> {
  const holder = await findHolder(forward).catch(() => null);
  if (holder === null) return null;
  if (holder.pid === process.pid) return { machine: machine.record.Name };
  const name = await machineOf(holder.pid, machine);
  return name === null ? holder : { machine: name };
}

/** The machine of the same store that is this process. */
async function machineOf(pid: number, { paths }: Machine): Promise<string | null> {
  const store = new MachineStore(storePaths(dirname(dirname(paths.directory))));
  for (const name of await store.names().catch(() => [])) {
    try {
      const { driver, handle } = await openMachine(store, name);
      const status = await driver.status(handle);
      if ('pid' in status && status.pid === pid) return name;
    } catch {
      // What cannot be asked is not named.
    }
  }
  return null;
}
