/** What containers need of volumes. */
export interface VolumeStore {
  /**
   * Returns the named volume, making it when it is absent; an empty name makes an anonymous one, which goes
   * away again, now or at the next start, unless it is kept. Throws InvalidParameter.
   */
  ensure(name: string, wish?: VolumeWish): Promise<VolumeMountpoint>;
  /** Keeps new anonymous volumes. To be called in the transaction that records who uses them. */
  keep(names: readonly string[]): void;
  /**
   * Copy-up: fills a volume, if it is empty, from a directory of the image, if there is one.
   *
   * @param options `below`: only this directory of the volume, if it is there
   */
  populate(
    name: string,
    from: () => Promise<string | null>,
    options?: { readonly below?: string },
  ): Promise<void>;
  /**
   * Mounts what the volume's options ask for, if anything, until nobody uses it any more. Idempotent. Throws
   * InvalidParameter with mount's words.
   *
   * @param options `again`: the user has it since before this engine's start; nobody is told
   */
  mount(name: string, user: VolumeUser, options?: { readonly again: boolean }): Promise<void>;
  /** Idempotent. */
  unmount(name: string, containerId: string): Promise<void>;
  /** Throws NotFound, or Conflict while a container uses it. */
  remove(name: string): Promise<void>;
}

export interface VolumeWish {
  readonly labels?: Readonly<Record<string, string>>;
  /** The driver's options. */
  readonly options?: Readonly<Record<string, string>>;
}

/** A container that runs with the volume, and how it has it. */
export interface VolumeUser {
  readonly containerId: string;
  readonly destination: string;
  readonly readonly: boolean;
  readonly propagation: string;
}

export interface VolumeMountpoint {
  readonly name: string;
  readonly driver: string;
  /** Directory to bind. */
  readonly mountpoint: string;
  readonly anonymous: boolean;
}
