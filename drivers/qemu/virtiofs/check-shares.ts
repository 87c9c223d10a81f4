import type { HostShare } from '../../driver.ts';
import { FailedPrecondition } from '../../errors.ts';
import { findDaemon } from './find-daemon.ts';
import { mostShares } from './hot-plug.ts';

/** Throws FailedPrecondition when a VM of this computer cannot have all these by virtiofs. */
export async function checkShares(
  shares: readonly HostShare[],
  {
    platform = process.platform,
    find = findDaemon,
  }: { platform?: NodeJS.Platform; find?: () => Promise<string> } = {},
): Promise<void> {
  if (platform !== 'linux')
    throw new FailedPrecondition('--mount-type virtiofs is for Linux; say --mount-type sftp');
  if (shares.length > mostShares)
    throw new FailedPrecondition(
      `--mount-type virtiofs is for ${mostShares} directories at most, and these are ${shares.length}; say --mount-type sftp`,
    );
  await find();
}
