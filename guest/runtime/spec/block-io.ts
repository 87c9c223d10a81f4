import { statSync } from 'node:fs';
import { InvalidParameter } from '../../errors.ts';
import { majorMinor } from './devices.ts';

/** `--device-read-bps` and its like: a rate a second for one block device. */
export interface DeviceRate {
  readonly path: string;
  readonly rate: number;
}

export interface BlockIoLimits {
  readonly weight?: number;
  readonly weightDevices?: readonly { readonly path: string; readonly weight: number }[];
  readonly readBps?: readonly DeviceRate[];
  readonly writeBps?: readonly DeviceRate[];
  readonly readIops?: readonly DeviceRate[];
  readonly writeIops?: readonly DeviceRate[];
}

/** OCI `linux.resources.blockIO`; null when nothing is limited. Throws InvalidParameter for what is no device. */
export function blockIo(limits: BlockIoLimits): Readonly<Record<string, unknown>> | null {
  const rates = (list: readonly DeviceRate[] | undefined) =>
    list?.map(({ path, rate }) => ({ ...deviceAt(path), rate })) ?? [];
  const lists = {
    weightDevice: limits.weightDevices?.map(({ path, weight }) => ({ ...deviceAt(path), weight })) ?? [],
    throttleReadBpsDevice: rates(limits.readBps),
    throttleWriteBpsDevice: rates(limits.writeBps),
    throttleReadIOPSDevice: rates(limits.readIops),
    throttleWriteIOPSDevice: rates(limits.writeIops),
  };
  const given = Object.entries(lists).filter(([, list]) => list.length > 0);
  if (!limits.weight && given.length === 0) return null;
  return { ...(limits.weight ? { weight: limits.weight } : {}), ...Object.fromEntries(given) };
}

function deviceAt(path: string): { major: number; minor: number } {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new InvalidParameter(`cannot limit "${path}": no such file or directory`);
  if (!stat.isBlockDevice()) throw new InvalidParameter(`cannot limit "${path}": not a block device`);
  return majorMinor(stat.rdev);
}
