import { InvalidParameter } from '../errors.ts';

/** A volume of the driver `local`, as it is remembered. */
export interface VolumeRecord {
  readonly name: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `type`, `o` and `device`, as given. */
  readonly options: Readonly<Record<string, string>>;
  /** Set while a copy-up runs; one that was cut off is undone at the next start. */
  readonly populating: boolean;
  /** The directory in it that is being filled; without it the whole volume. */
  readonly populatingBelow?: string;
  /** Made for a container that is not recorded yet; the next start removes it. */
  readonly loose?: true;
}

/** Marks a volume that nobody named. */
export const anonymousLabel = 'com.docker.volume.anonymous';

export function isAnonymous(volume: VolumeRecord): boolean {
  return Object.hasOwn(volume.labels, anonymousLabel);
}

/** Throws InvalidParameter with dockerd's sentence. */
export function checkVolumeName(name: string): void {
  if (name.length === 1)
    throw new InvalidParameter(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= 255) return;
  throw new InvalidParameter(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}
