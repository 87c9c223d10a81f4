import type { Endpoints } from '../drivers/driver.ts';
import { FailedPrecondition } from '../drivers/errors.ts';
import type { Machine } from './machine.ts';
import type { MachineStore } from './machine-store.ts';
import { machineStatus } from './status.ts';
import { reviveSupervisor } from './supervisor/revive.ts';

/** How to reach a machine, its supervisor started again if that has died. Throws FailedPrecondition, with docker-machine's words, when it does not run. */
export async function runningEndpoints(store: MachineStore, machine: Machine): Promise<Endpoints> {
  const { driver, handle, record } = machine;
  const { Name, Phase } = record;
  try {
    // Cheaper than a status, and said by who knows: a driver has no endpoints for what does not run.
    if (Phase === 'created') {
      const endpoints = await driver.endpoints(handle);
      await reviveSupervisor(store, machine);
      return endpoints;
    }
  } catch (error) {
    if (!(error instanceof FailedPrecondition)) throw error;
  }
  const { state, errors } = await machineStatus(store, machine);
  throw new FailedPrecondition(
    state === 'Error'
      ? `Host is not running: machine "${Name}" is broken: ${errors.join('; ')}`
      : `Host is not running: machine "${Name}" is ${state}; machine start ${Name} starts it`,
  );
}
