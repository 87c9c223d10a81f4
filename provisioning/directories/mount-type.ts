import { realpath } from 'node:fs/promises';
import type { Driver, HostShare } from '../../drivers/driver.ts';
import { FailedPrecondition, InvalidArgument } from '../../drivers/errors.ts';
import type { MachineRecord } from '../machine-record.ts';

type Shared = Pick<MachineRecord, 'Mounts' | 'MountType'>;

/**
 * Checks that a machine of this driver can have these directories in this way, on this computer. Throws InvalidArgument or
 * FailedPrecondition saying what to type.
 */
export async function checkMountType(
  driver: Pick<Driver, 'name' | 'checkShares'>,
  shared: Shared,
): Promise<void> {
  if (shared.MountType !== 'virtiofs') return;
  if (driver.checkShares === undefined)
    throw new InvalidArgument(
      `machines of driver ${driver.name} cannot have --mount-type ${shared.MountType}; leave it out`,
    );
  const shares = await sharesOf(shared);
  if (shares.length > 0) await driver.checkShares(shares);
}

/** What the driver itself is to give a machine at its start. Throws FailedPrecondition for a directory that is gone. */
export async function sharesOf({ Mounts, MountType }: Shared): Promise<HostShare[]> {
  if (MountType !== 'virtiofs') return [];
  return await Promise.all(
    Mounts.map(async ({ Host, ReadOnly }) => ({
      directory: await realpath(Host).catch((cause: unknown) => {
        throw new FailedPrecondition(
          `"${Host}", which the machine shares, is not there; make it, or say --mount and --no-mount for what to share`,
          { cause },
        );
      }),
      readonly: ReadOnly,
    })),
  );
}
