import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { FailedPrecondition } from '../../drivers/errors.ts';
import { openMachine } from '../machine.ts';
import type { MachineStore } from '../machine-store.ts';
import { endSupervisor } from '../supervisor/end.ts';
import { reviveSupervisor } from '../supervisor/revive.ts';
import { alsoAt } from '../supervisor/socket/also-at.ts';

/** Where programs of Windows look that know of no context and no DOCKER_HOST. */
export const systemPipe = '\\\\.\\pipe\\docker_engine';

/**
 * From now on a machine is at the system's pipe while it runs, and no other of this store. A pipe cannot lead to another as a link
 * does, so the machine's supervisor listens there, too; it is started anew for that. Throws FailedPrecondition when somebody
 * else listens.
 */
export async function takeSystemPipe(
  store: MachineStore,
  machine: string,
  {
    pipe = systemPipe,
    restart = restartSupervisor,
  }: { pipe?: string; restart?: typeof restartSupervisor } = {},
): Promise<void> {
  if ((await alsoAt(store.machine(machine))) === pipe) return;
  await giveSystemPipe(store, null, { restart });
  await mustBeFree(pipe);
  await writeFile(store.machine(machine).alsoAt, pipe, { mode: 0o600 });
  await restart(store, machine);
}

/** Takes it from `machine`, or from whichever of this store has it. Returns whether one had. */
export async function giveSystemPipe(
  store: MachineStore,
  machine: string | null,
  { restart = restartSupervisor }: { restart?: typeof restartSupervisor } = {},
): Promise<boolean> {
  let had = false;
  for (const name of machine === null ? await store.names() : [machine]) {
    const paths = store.machine(name);
    if ((await alsoAt(paths)) === null) continue;
    await rm(paths.alsoAt, { force: true });
    await restart(store, name);
    had = true;
  }
  return had;
}

async function restartSupervisor(store: MachineStore, name: string): Promise<void> {
  await endSupervisor(store, name);
  await reviveSupervisor(store, await openMachine(store, name));
}

async function mustBeFree(pipe: string): Promise<void> {
  const server = createServer().listen(pipe);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EADDRINUSE', 'EACCES'].includes(code)) throw error;
    throw new FailedPrecondition(
      `"${pipe}" is another engine's, Docker Desktop's perhaps; quit that, then type this again`,
    );
  } finally {
    server.close();
  }
}
