import type { Stats } from 'node:fs';
import type { FileOwners } from './file-owners.ts';
import { type Owner, sameNumber } from './owner.ts';

/** libuv answers chown there as if it were done. */
const hasOwners = process.platform !== 'win32';

/**
 * `chown` of a file that the machine sees as `stats`: on this computer by `really` where this process may, else for the machine
 * alone. Throws what `really` says but EPERM, and as {@link FileOwners.give}.
 */
export async function changeOwner(
  stats: Stats,
  wanted: Owner,
  { really, owners }: { readonly really: (owner: Owner) => Promise<void>; readonly owners: FileOwners },
): Promise<void> {
  const owner = {
    uid: wanted.uid === sameNumber ? stats.uid : wanted.uid,
    gid: wanted.gid === sameNumber ? stats.gid : wanted.gid,
  };
  if (owner.uid === stats.uid && owner.gid === stats.gid) return;
  if (hasOwners && (await isAllowed(really(owner)))) owners.takeBack(stats);
  else owners.give(stats, owner);
}

async function isAllowed(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return false;
  }
}
