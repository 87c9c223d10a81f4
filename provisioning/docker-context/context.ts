import { mkdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../drivers/write-file-atomic.ts';
import type { MachineStore } from '../machine-store.ts';
import { apiSocketOf } from '../supervisor/socket/path.ts';
import { currentContext, setCurrentContext } from './current.ts';
import { contextName, type DockerConfig, dockerConfig } from './files.ts';

/** Whose a machine's context is: nobody's, this store's, or one that somebody else has under that name. */
export type ContextOwner = 'nobody' | 'ours' | 'foreign';

/**
 * Makes or renews the docker context of a machine, which leads to its socket; one under that name that is not ours
 * is left as it is. Idempotent.
 */
export async function writeContext(
  store: MachineStore,
  machine: string,
  config: DockerConfig = dockerConfig(),
): Promise<Exclude<ContextOwner, 'nobody'>> {
  if ((await contextOwner(store, machine, config)) === 'foreign') return 'foreign';
  const file = config.context(contextName(machine));
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, contextText(store, machine), { mode: 0o644 });
  return 'ours';
}

/** Removes a machine's context, and the choice of it as the current one. Idempotent; never touches a foreign one. */
export async function removeContext(
  store: MachineStore,
  machine: string,
  config: DockerConfig = dockerConfig(),
): Promise<void> {
  if ((await contextOwner(store, machine, config)) !== 'ours') return;
  const name = contextName(machine);
  if ((await currentContext(config)) === name) await setCurrentContext(null, config);
  const file = config.context(name);
  await rm(file, { force: true });
  // With something of somebody else's in it, it stays.
  await rmdir(dirname(file)).catch(() => {});
}

export async function contextOwner(
  store: MachineStore,
  machine: string,
  config: DockerConfig = dockerConfig(),
): Promise<ContextOwner> {
  const text = await readFile(config.context(contextName(machine)), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
      return null;
    },
  );
  if (text === null) return 'nobody';
  return markOf(text)?.Store === store.paths.root ? 'ours' : 'foreign';
}

/** The docker CLI keeps what it does not know of a context's metadata, so this is where ours are marked. */
function contextText(store: MachineStore, machine: string): string {
  const Host = apiSocketOf(store.machine(machine)).url;
  return JSON.stringify({
    Name: contextName(machine),
    Metadata: { Description: `machine "${machine}"`, Machine: { Name: machine, Store: store.paths.root } },
    Endpoints: { docker: { Host, SkipTLSVerify: false } },
  });
}

function markOf(text: string): { readonly Store?: unknown } | null {
  try {
    const context = JSON.parse(text) as { Metadata?: { Machine?: { Store?: unknown } } } | null;
    return context?.Metadata?.Machine ?? null;
  } catch {
    return null;
  }
}
