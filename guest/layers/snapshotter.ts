import type { Readable } from 'node:stream';
import type { Lease } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import type { FilesAtHand } from './layer-files.ts';
import type { AdjustEntry, Change } from './upper.ts';

/**
 * Words: a *layer* is a committed, read-only directory named by its chain id (OCI image spec, config.md,
 * "Layer ChainID"); a *snapshot* is a container's writable directory on top of one layer chain, named by a
 * key (the container id). Filesystems produce {@link Mount}s and the runtime consumes them; neither knows
 * the other.
 */
export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
  /** Directory that relative paths in the options are meant from: overlay's option page holds 4096 bytes. */
  readonly cwd?: string;
}

export interface Layer {
  readonly chainId: Digest;
  readonly diffId: Digest;
  readonly parent: Digest | null;
  /** Sum of file sizes. */
  readonly sizeBytes: number;
}

export interface LayerStore {
  /**
   * Reads an uncompressed tar to its end and makes it a layer on `parent` (null = first). Idempotent: the
   * same tar on the same parent is the same layer. Durable when it returns. Throws InvalidParameter on a
   * malformed or hostile tar and leaves nothing. The caller holds the parent; `lease` gets to hold the layer. Of files
   * that are `atHand` the layer may have links.
   */
  commitTar(
    tar: AsyncIterable<Buffer>,
    parent: Digest | null,
    lease?: Lease,
    atHand?: FilesAtHand,
  ): Promise<Layer>;
  /** Throws NotFound. */
  get(chainId: Digest): Layer;
  /** The layer's tar, byte for byte as it came in: its sha256 is the diffId. */
  readTar(chainId: Digest): Readable;
  /** Removes layers that no image, snapshot, cached build step, child layer or lease needs; returns their chain ids, children first. */
  collect(): Promise<readonly Digest[]>;
}

export interface Snapshotter {
  /** Makes an empty writable snapshot on `parent` (null = scratch). Throws Conflict when the key exists. */
  prepare(key: string, parent: Digest | null): Promise<void>;
  /** The mount that shows the snapshot's root file system. Throws NotFound. */
  mount(key: string): Mount;
  /** The mount that shows a chain of layers, read-only and without a snapshot on top. */
  view(parent: Digest): Mount;
  /** Idempotent: removing nothing succeeds. The snapshot must not be mounted. */
  remove(key: string): Promise<void>;
  changes(key: string): Promise<Change[]>;
  /** The snapshot's own changes as a layer tar with OCI whiteouts. */
  diff(key: string, adjust?: AdjustEntry): Readable;
  /** The directory of the snapshot's own files. What is in it is not to be trusted. */
  upper(key: string): string;
  /** Bytes used by the snapshot's own files. */
  usage(key: string): Promise<number>;
  /** Bytes of the layers below it. */
  lowerBytes(key: string): number;
}
