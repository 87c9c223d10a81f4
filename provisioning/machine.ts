import type { Driver, MachineHandle } from '../drivers/driver.ts';
import { loadDriver } from '../drivers/registry.ts';
import type { MachineRecord } from './machine-record.ts';
import type { MachineStore } from './machine-store.ts';
import type { MachinePaths } from './paths.ts';

/** A machine of the store with the driver that made it. */
export interface Machine {
  readonly record: MachineRecord;
  readonly paths: MachinePaths;
  readonly driver: Driver;
  /** What the driver is handed. */
  readonly handle: MachineHandle<unknown>;
}

/** Throws NotFound, or FailedPrecondition when the record cannot be used. */
export async function openMachine(store: MachineStore, name: string): Promise<Machine> {
  return machineOf(store, await store.load(name));
}

export async function machineOf(store: MachineStore, record: MachineRecord): Promise<Machine> {
  const paths = store.machine(record.Name);
  const driver = await loadDriver(record.DriverName);
  return {
    record,
    paths,
    driver,
    handle: { name: record.Name, directory: paths.directory, state: record.Driver },
  };
}
