import type { Endpoints } from '../drivers/driver.ts';
import { FailedPrecondition } from '../drivers/errors.ts';
import type { Machine } from './machine.ts';
import type { MachineStore } from './machine-store.ts';
import { machineStatus } from './status.ts';

/** How to reach a machine. Throws FailedPrecondition, with docker-machine's words, when it does not run. */
export async function runningEndpoints(store: MachineStore, machine: Machine): Promise<Endpoints> {
  const { state, errors } = await machineStatus(store, machine);
  if (state === 'Running') return machine.driver.endpoints(machine.handle);
  const { Name } = machine.record;
  throw new FailedPrecondition(
    state === 'Error'
      ? `Host is not running: machine "${Name}" is broken: ${errors.join('; ')}`
      : `Host is not running: machine "${Name}" is ${state}; machine start ${Name} starts it`,
  );
}
