import type { DatabaseSync } from 'node:sqlite';
import type { Leases } from '../content/leases.ts';
import type { Image, ImageConfig } from '../images/image.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { Platform } from '../images/platform.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Logger } from '../log.ts';
import type { OnProgress } from '../registry/progress.ts';
import type { BuildSupply } from './build.ts';
import type { CacheStore } from './cache/cache-store.ts';
import type { LocalTrees } from './cache/local-trees.ts';
import type { MountStore } from './cache/mount-store.ts';
import type { RunParts } from './exec/run-container.ts';

/** Which of an image's platforms, and from where. */
export interface ImageWish {
  readonly platform: Platform;
  /** The registry is asked also when the image is here. */
  readonly always: boolean;
  readonly supply: BuildSupply;
}

/** What the engine gives a builder. */
export interface BuilderParts extends RunParts {
  readonly db: DatabaseSync;
  readonly leases: Leases;
  readonly layers: OverlayLayerStore;
  readonly images: ImageStore;
  readonly trees: LocalTrees;
  readonly log: Logger;
  /** What the cache may grow to; 0 = no limit. */
  readonly cacheLimitBytes: number;
  /** An image that is here, or can be got. Throws NotFound. */
  findImage(
    reference: string,
    options: ImageWish & {
      /** Of a pull; never called for an image that is here. */
      readonly onProgress?: OnProgress;
    },
  ): Promise<Image>;
  /** The same of its configuration alone: no layer comes. */
  findConfig(reference: string, wish: ImageWish): Promise<ImageConfig>;
}

/** And what it makes of that for its builds. */
export interface BuilderDependencies extends BuilderParts {
  readonly cache: CacheStore;
  readonly mounts: MountStore;
}
