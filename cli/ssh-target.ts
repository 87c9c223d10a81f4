import { runningEndpoints } from '../provisioning/endpoints.ts';
import { openMachine } from '../provisioning/machine.ts';
import type { MachineStore } from '../provisioning/machine-store.ts';
import { type SshTarget, sshTarget } from '../provisioning/ssh/target.ts';

/** How to reach a machine that runs. Throws NotFound, and FailedPrecondition when it does not run or has no SSH server. */
export async function runningSshTarget(store: MachineStore, name: string): Promise<SshTarget> {
  const machine = await openMachine(store, name);
  await runningEndpoints(store, machine);
  return await sshTarget(machine);
}
