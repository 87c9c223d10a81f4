import { writeContext } from '../docker-context/context.ts';
import { contextName } from '../docker-context/files.ts';
import type { Machine } from '../machine.ts';
import type { MachineStore } from '../machine-store.ts';
import type { PowerOnOptions } from '../power-on.ts';
import { rememberAgent, userAgent } from '../ssh/user-agent.ts';
import { ensureSupervised } from './launch.ts';

/**
 * The end of a start: the machine gets its supervisor and its docker context, and what that could not make ready is said. Nothing for
 * drivers whose machines have none. Never throws.
 */
export async function superviseStarted(
  store: MachineStore,
  machine: Machine,
  { signal, progress }: Pick<PowerOnOptions, 'signal' | 'progress'>,
): Promise<void> {
  if (machine.driver.whenOff === undefined) return;
  const onWarning = (text: string) => progress.note(text);
  await progress.step('Connecting this computer', async () => {
    await rememberAgent(machine.paths, userAgent()).catch((error: unknown) =>
      onWarning(`WARNING: your ssh-agent is not known to machine "${machine.record.Name}": ${error}`),
    );
    // A container that publishes something starts when the host follows its ports (guest/network/ports), and who asks for
    // a name waits for the host, too (guest/network/dns).
    await ensureSupervised(store, machine, { signal, notFor: ['ports', 'names'], onWarning });
    await makeContext(store, machine.record.Name, onWarning);
  });
}

async function makeContext(
  store: MachineStore,
  name: string,
  onWarning: (text: string) => void,
): Promise<void> {
  try {
    if ((await writeContext(store, name)) === 'foreign')
      onWarning(`WARNING: the docker context "${contextName(name)}" is somebody else's and is left as it is`);
  } catch (error) {
    onWarning(`WARNING: machine "${name}" has no docker context: ${(error as Error).message}`);
  }
}
