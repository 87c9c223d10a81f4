import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Parts of this program that are data to it: what goes into a guest. */
export interface Installation {
  /** The directory with package.json. */
  readonly root: string;
  /** The agent's bundle, what goes to `/opt/machine` in a guest. */
  readonly agent: string;
  /** What runs in a guest before the agent. */
  readonly boot: string;
}

/** Found from where this code lies: sources, compiled files and the bundle are at different depths. */
export async function installation(): Promise<Installation> {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!(await exists(join(root, 'package.json')))) {
    const parent = dirname(root);
    if (parent === root) throw new Error('package.json of machine is missing; install machine again');
    root = parent;
  }
  return { root, agent: join(root, 'dist', 'bundle', 'agent'), boot: join(root, 'guest', 'boot') };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
