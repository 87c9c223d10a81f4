import type { Digest } from '../digest.ts';

/** OCI image configuration (image spec, config.md) with Docker's additions; wire casing as stored. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly created?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly docker_version?: string;
  readonly 'os.version'?: string;
  readonly config?: ContainerDefaults;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
}

export interface ContainerDefaults {
  readonly User?: string;
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[] | null;
  readonly OnBuild?: readonly string[] | null;
  readonly Healthcheck?: Readonly<Record<string, unknown>> | null;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

export interface Image {
  /** Digest of the config bytes. */
  readonly id: Digest;
  readonly config: ImageConfig;
  /** Top layer; null for an image without layers. */
  readonly chainId: Digest | null;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  /** When it last got a name; null when that is not known. */
  readonly taggedAt: Date | null;
  /** The image of the container that was committed; null for one that came otherwise. */
  readonly parent: Digest | null;
}

/** All that containers need of images. */
export interface ImageResolver {
  /** By name, `name@digest`, id or unique id prefix. Throws NotFound `No such image: x`. */
  resolve(reference: string): Image;
  /** An image, and those that were made of it. */
  descendants(id: Digest): ReadonlySet<Digest>;
}

/** What `docker commit` needs. */
export interface ImageCommitter {
  /**
   * Makes an image of a snapshot's changes on top of `parent`, and tags it when `reference` is given.
   * Durable when it returns.
   */
  commitSnapshot(request: {
    readonly snapshotKey: string;
    readonly parent: Image | null;
    readonly config: ContainerDefaults;
    readonly author?: string;
    readonly comment?: string;
    readonly createdBy?: string;
    readonly reference?: string;
  }): Promise<Image>;
}
