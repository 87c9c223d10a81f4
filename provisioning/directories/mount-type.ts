import { realpath } from 'node:fs/promises';
import type { Driver, HostShare } from '../../drivers/driver.ts';
import { FailedPrecondition, InvalidArgument, MachineError } from '../../drivers/errors.ts';
import type { MountType } from '../../guest/wire/index.ts';
import type { MachineRecord } from '../machine-record.ts';

/** What may be asked for: `auto` is virtiofs where that can be, else SFTP. */
export const mountTypeWishes = ['sftp', 'virtiofs', 'auto'] as const;
export type MountTypeWish = (typeof mountTypeWishes)[number];

type Shared = Pick<MachineRecord, 'Mounts' | 'MountType'>;

export interface ChosenMountType {
  readonly type: MountType;
  /** A sentence for the user: why it is not what `auto` would rather have had. */
  readonly fallback: string | null;
}

/**
 * How a machine of this driver is to have these directories of this computer. Throws InvalidArgument or FailedPrecondition, saying
 * what to type, when it cannot have them in the way that was asked for.
 */
export async function chooseMountType(
  driver: Pick<Driver, 'name' | 'checkShares'>,
  Mounts: Shared['Mounts'],
  wish: MountTypeWish,
): Promise<ChosenMountType> {
  if (wish === 'sftp') return { type: 'sftp', fallback: null };
  try {
    await checkShares(driver, { Mounts, MountType: 'virtiofs' });
    return { type: 'virtiofs', fallback: null };
  } catch (error) {
    if (wish === 'virtiofs' || !(error instanceof MachineError)) throw error;
    return { type: 'sftp', fallback: `directories are shared by sftp: ${error.message}` };
  }
}

async function checkShares(driver: Pick<Driver, 'name' | 'checkShares'>, shared: Shared): Promise<void> {
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
