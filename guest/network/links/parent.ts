import { run } from '../../host/exec.ts';
import { programPath } from '../../host/program-path.ts';
import type { ParentNetwork } from '../network.ts';
import { linkExists } from './bridge.ts';
import { linkRemoval, parentCreation } from './link-scripts.ts';

/** Makes the link that a macvlan or ipvlan network hangs on, where that is ours to make. Idempotent. */
export async function ensureParent({ parent }: ParentNetwork): Promise<void> {
  if (parent.own === null || (await linkExists(parent.linkName))) return;
  await run(programPath('ip'), ['-batch', '-'], { input: parentCreation(parent) });
}

/** Idempotent: removing nothing succeeds, and what is not ours stays. */
export async function removeParent({ parent }: ParentNetwork): Promise<void> {
  if (parent.own === null || !(await linkExists(parent.linkName))) return;
  await run(programPath('ip'), ['-batch', '-'], { input: linkRemoval(parent.linkName) });
}
