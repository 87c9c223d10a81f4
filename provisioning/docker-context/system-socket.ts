import { lstat, readlink, rename, rm, symlink } from 'node:fs/promises';
import { FailedPrecondition } from '../../drivers/errors.ts';
import type { MachineStore } from '../machine-store.ts';
import { apiSocketOf } from '../supervisor/socket/path.ts';

/** Where programs look that know of no context and no DOCKER_HOST. */
export const systemSocket = '/var/run/docker.sock';

/**
 * Makes the system's socket lead to a machine, when nothing is there or what is there leads to another machine of this
 * store. Throws FailedPrecondition otherwise, with the line that somebody with the rights to may type.
 */
export async function linkSystemSocket(
  store: MachineStore,
  machine: string,
  path = systemSocket,
): Promise<void> {
  const { path: target } = apiSocketOf(store.machine(machine));
  const command = `sudo ln -sfn "${target}" ${path}`;
  const there = await whoseIs(store, path);
  if (there === 'foreign')
    throw new FailedPrecondition(
      `"${path}" is somebody else's, another engine's perhaps; to replace it type: ${command}`,
    );
  const temporary = `${path}.machine-${process.pid}`;
  try {
    await symlink(target, temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!isForbidden(error)) throw error;
    throw new FailedPrecondition(`"${path}" may not be written by you; type: ${command}`);
  }
}

/** Takes it away when it leads to `machine`, or to any of this store's. Returns whether it did. */
export async function unlinkSystemSocket(
  store: MachineStore,
  machine: string | null,
  path = systemSocket,
): Promise<boolean> {
  const there = await whoseIs(store, path);
  if (there === null || there === 'foreign' || (machine !== null && there.machine !== machine)) return false;
  try {
    await rm(path, { force: true });
    return true;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new FailedPrecondition(`"${path}" may not be removed by you; type: sudo rm ${path}`);
  }
}

/** The machine that it leads to, removed or not; null when nothing is there. */
async function whoseIs(
  store: MachineStore,
  path: string,
): Promise<{ readonly machine: string } | 'foreign' | null> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (found === null) return null;
  if (!found.isSymbolicLink()) return 'foreign';
  const target = await readlink(path);
  for (const machine of await store.names())
    if (apiSocketOf(store.machine(machine)).path === target) return { machine };
  return 'foreign';
}

function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}
