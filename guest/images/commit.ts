import type { Readable } from 'node:stream';
import type { Leases } from '../content/leases.ts';
import { type Digest, digestOf } from '../digest.ts';
import type { EventSink } from '../events/event.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Layer, Snapshotter } from '../layers/snapshotter.ts';
import { familiarReference, parseReference, type Reference } from '../reference.ts';
import type { ContainerDefaults, HistoryEntry, Image, ImageCommitter, ImageConfig } from './image.ts';
import { imageEvent } from './image-event.ts';
import type { ImageStore } from './image-store.ts';
import { hostPlatform, type Platform } from './platform.ts';

export interface CommitDependencies {
  readonly leases: Leases;
  readonly layers: OverlayLayerStore;
  readonly snapshots: Snapshotter;
  readonly images: ImageStore;
  readonly events: EventSink;
  readonly clock?: () => Date;
}

/** Of a tar without entries. A container that changed nothing adds no layer, as with dockerd (layer.IsEmpty). */
const emptyDiffId = digestOf(Buffer.alloc(1024));

/** Makes images out of file trees: `docker commit` and `docker import`. */
export class ImageMaker implements ImageCommitter {
  readonly #deps: CommitDependencies;
  readonly #clock: () => Date;

  constructor(deps: CommitDependencies) {
    this.#deps = deps;
    this.#clock = deps.clock ?? (() => new Date());
  }

  async commitSnapshot(request: Parameters<ImageCommitter['commitSnapshot']>[0]): Promise<Image> {
    const name = request.reference === undefined ? undefined : parseReference(request.reference);
    using lease = this.#deps.leases.open();
    const { parent } = request;
    if (parent?.chainId) lease.hold(parent.chainId);
    const layer = await this.#deps.layers.commitTar(
      this.#deps.snapshots.diff(request.snapshotKey),
      parent?.chainId ?? null,
      lease,
    );
    return this.#put({ ...request, base: parent?.config, parent: parent?.id ?? null, layer, name });
  }

  /** Makes an image of one layer of an uncompressed tar. Throws InvalidParameter on a malformed one. */
  async importTar(
    tar: Readable,
    request: {
      readonly config: ContainerDefaults;
      readonly comment: string;
      readonly name: Reference | undefined;
      readonly platform?: Platform | undefined;
    },
  ): Promise<Image> {
    using lease = this.#deps.leases.open();
    const layer = await this.#deps.layers.commitTar(tar, null, lease);
    const image = this.#put({ ...request, base: undefined, parent: null, layer });
    this.#deps.events.publish(imageEvent('import', image));
    return image;
  }

  #put(request: {
    readonly base: ImageConfig | undefined;
    readonly parent: Digest | null;
    readonly layer: Layer;
    readonly config: ContainerDefaults;
    readonly author?: string;
    readonly comment?: string;
    readonly createdBy?: string;
    readonly name: Reference | undefined;
    readonly platform?: Platform | undefined;
  }): Image {
    const { base, layer, name } = request;
    const created = this.#clock().toISOString();
    const { os, architecture, variant } = request.platform ?? base ?? hostPlatform;
    const isEmpty = layer.diffId === emptyDiffId;
    const below: readonly Digest[] = base?.rootfs.diff_ids ?? [];
    const entry: HistoryEntry = {
      created,
      ...(request.createdBy && { created_by: request.createdBy }),
      ...(request.author && { author: request.author }),
      ...(request.comment && { comment: request.comment }),
      ...(isEmpty && { empty_layer: true }),
    };
    const config: ImageConfig = {
      architecture,
      os,
      ...(variant && { variant }),
      created,
      ...(request.author && { author: request.author }),
      config: request.config,
      rootfs: { type: 'layers', diff_ids: isEmpty ? below : [...below, layer.diffId] },
      history: [...(base?.history ?? []), entry],
    };
    const bytes = Buffer.from(JSON.stringify(config));
    const image = this.#deps.images.put(bytes, name ? [name] : [], request.parent);
    if (name) this.#deps.events.publish(imageEvent('tag', image, familiarReference(name)));
    return image;
  }
}
