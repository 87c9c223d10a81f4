/** What containers need of volumes. */
export interface VolumeStore {
  /** Returns the named volume, making it when it is absent; an empty name makes an anonymous one. */
  ensure(
    name: string,
    options?: { readonly labels?: Readonly<Record<string, string>> },
  ): Promise<VolumeMountpoint>;
  /** Copy-up: fills an empty volume from a directory of the container's root before first use. */
  populate(name: string, from: string): Promise<void>;
  /** Throws NotFound, or Conflict while a container uses it. */
  remove(name: string): Promise<void>;
}

export interface VolumeMountpoint {
  readonly name: string;
  readonly driver: string;
  /** Directory to bind. */
  readonly mountpoint: string;
  readonly anonymous: boolean;
}
