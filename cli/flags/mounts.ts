import { Option } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import { type MountTypeWish, mountTypeWishes } from '../../provisioning/directories/mount-type.ts';
import type { WantedMounts } from '../../provisioning/directories/mounts.ts';
import { repeated } from './repeated.ts';

export interface MountFlags {
  /** False for `--no-mount`. */
  readonly mount?: readonly string[] | false;
  /** Of machines that are there. */
  readonly addMount?: readonly string[];
  readonly mountType?: MountTypeWish;
}

const shape = '<HOST[:GUEST][:ro]>';

/** Which directories of this computer a machine has; `preset` says what it has when nothing is said. */
export function mountFlags(preset: string): Option[] {
  return [
    list(
      `--mount ${shape}`,
      `a directory of this computer to be in the machine, at the same path unless said otherwise (default: ${preset})`,
    ),
    new Option('--no-mount', 'share no directory'),
    new Option(
      '--mount-type <TYPE>',
      'how they get there: sftp; virtiofs, which is faster and tells containers of changes that are made on this computer by their attributes alone (Linux); auto, which is virtiofs where that can be, else sftp',
    ).choices(mountTypeWishes),
  ];
}

/** For machines that have some already. */
export function addMountFlag(): Option {
  return list(`--add-mount ${shape}`, 'one more such directory, besides those that it has');
}

/** Null when nothing was said. Throws InvalidArgument. */
export function wantedMounts({ mount, addMount }: MountFlags): WantedMounts | null {
  if (addMount === undefined) {
    if (mount === undefined) return null;
    return { add: false, mounts: mount === false ? [] : mount };
  }
  if (mount !== undefined)
    throw new InvalidArgument(
      '--add-mount goes with the directories that a machine has; leave it out, or --mount and --no-mount',
    );
  return { add: true, mounts: addMount };
}

function list(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: unknown) =>
    repeated(value, Array.isArray(before) ? before : []),
  );
}
