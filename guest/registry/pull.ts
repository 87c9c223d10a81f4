import type { Lease } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import { commitLayers } from '../images/commit-layers.ts';
import type { Image } from '../images/image.ts';
import { parseImageConfig } from '../images/image-config.ts';
import type { Images } from '../images/index.ts';
import { hostPlatform, matchesPlatform, type Platform, requirePlatform } from '../images/platform.ts';
import { chainIdOf } from '../layers/chain.ts';
import { familiarName, familiarReference, type Reference } from '../reference.ts';
import { choosePlatform } from './choose-platform.ts';
import { InvalidDocument, parseDocument, type RemoteManifest } from './documents.ts';
import { fetchConfig } from './fetch-config.ts';
import type { LayerDownloads, WantedLayer } from './layer-downloads.ts';
import { layerStatus, type OnProgress } from './progress.ts';
import type { FetchedManifest, ImageSource } from './repository.ts';
import { retrying } from './retry.ts';

export interface PullOptions {
  readonly platform?: Platform | undefined;
  /** The name stays with an image of another platform that has it; what is pulled has that of its digest then. */
  readonly leavesName?: boolean;
  /** An image that there is for one platform only is taken whichever that is. */
  readonly takesAny?: boolean;
  /** The source is no place where others find it: the image gets no name. */
  readonly unnamed?: boolean;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

export interface PulledImage {
  readonly image: Image;
  /** What the tag led to: the manifest, or the index that has it. */
  readonly digest: Digest;
  /** The name had no image or another one. */
  readonly isNew: boolean;
}

/** What a name leads to in a registry, for one platform. */
export interface ResolvedImage {
  /** What the name itself stands for: the manifest, or an index. */
  readonly root: FetchedManifest;
  readonly manifest: RemoteManifest;
  readonly fetched: FetchedManifest;
}

/** Throws NotFound when there is nothing for the platform; Refused, Unreachable, InvalidDocument. */
export async function resolveImage(
  repository: ImageSource,
  reference: Reference,
  {
    platform,
    signal,
    retryDelayMs,
  }: { platform?: Platform | undefined; signal: AbortSignal; retryDelayMs: number },
): Promise<ResolvedImage> {
  const fetch = (wanted: string) =>
    retrying(() => repository.manifest(wanted, signal), { signal, firstDelayMs: retryDelayMs });
  const root = await fetch(reference.digest ?? reference.tag ?? 'latest');
  let fetched = root;
  let document = parseDocument(root.bytes, root.mediaType);
  // An index may have indexes of variants in it.
  for (let depth = 0; document.kind === 'index'; depth++) {
    if (depth > 3) throw new InvalidDocument('too many nested indexes');
    const entry = choosePlatform(document.index, platform);
    fetched = await fetch(entry.digest);
    document = parseDocument(fetched.bytes, entry.mediaType);
  }
  return { root, manifest: document.manifest, fetched };
}

/** Fetches images into the engine. */
export class Puller {
  readonly #images: Images;
  readonly #downloads: LayerDownloads;
  readonly #retryDelayMs: number;
  #sealed: Promise<unknown> = Promise.resolve();

  constructor(images: Images, downloads: LayerDownloads, retryDelayMs: number) {
    this.#images = images;
    this.#downloads = downloads;
    this.#retryDelayMs = retryDelayMs;
  }

  /**
   * Makes the image of a name a local one, whole and durable when it returns. Given up or failed, it leaves
   * nothing. Throws as {@link resolveImage}, and InvalidDocument or InvalidParameter when the bytes are not
   * what the manifest says.
   */
  async pull(repository: ImageSource, reference: Reference, options: PullOptions): Promise<PulledImage> {
    const { images, leases, originals, events } = this.#images;
    const { onProgress, signal, platform } = options;
    const resolved = await resolveImage(repository, reference, {
      platform,
      signal,
      retryDelayMs: this.#retryDelayMs,
    });
    const { root, fetched, manifest } = resolved;
    onProgress({
      status: `Pulling from ${reference.path}`,
      id: reference.tag ?? reference.digest ?? 'latest',
    });
    using lease = leases.open();
    lease.hold(fetched.digest);
    const here = images.get(manifest.config.digest);
    if (here?.chainId) lease.hold(here.chainId);
    const config = here
      ? images.configBytes(here.id)
      : await fetchConfig(repository, manifest, { signal, retryDelayMs: this.#retryDelayMs });
    checkPlatform(config, reference, options.takesAny ? undefined : platform);
    if (!here) await this.#layers(repository, reference, { manifest, config, lease, options });
    await originals.content.ingest(fetched.digest, once(fetched.bytes), {
      maxBytes: fetched.bytes.length,
      lease,
    });
    const before = images.byReference(reference)?.id;
    originals.rememberManifest(manifest.config.digest, fetched);
    const { domain, path, tag } = reference;
    const its = parseImageConfig(config);
    const held = options.leavesName ? images.byReference(reference) : undefined;
    const names = options.unnamed
      ? []
      : held && !matchesPlatform(held.config, its)
        ? [{ domain, path, digest: fetched.digest }]
        : [
            ...(reference.digest === undefined ? [{ domain, path, tag: tag ?? 'latest' }] : []),
            { domain, path, digest: root.digest },
          ];
    signal.throwIfAborted();
    const image = images.put(config, names);
    if (options.unnamed) return { image, digest: root.digest, isNew: !here };
    events.publish({
      type: 'image',
      action: 'pull',
      actor: {
        id: familiarReference(reference),
        attributes: { ...(image.config.config?.Labels ?? {}), name: familiarName(reference) },
      },
    });
    return { image, digest: root.digest, isNew: before !== image.id };
  }

  async #layers(
    repository: ImageSource,
    reference: Reference,
    image: { manifest: RemoteManifest; config: Buffer; lease: Lease; options: PullOptions },
  ): Promise<void> {
    const { layers, originals } = this.#images;
    const { manifest, lease } = image;
    const { onProgress, signal } = image.options;
    const diffIds = parseImageConfig(image.config).rootfs.diff_ids;
    if (diffIds.length !== manifest.layers.length)
      throw new InvalidDocument("layers from manifest don't match image configuration");
    await using wanted = new AsyncDisposableStack();
    const downloads = new Map<Digest, WantedLayer>();
    let parent: Digest | null = null;
    const sources = manifest.layers.map((descriptor, i) => {
      const { digest } = descriptor;
      const diffId = diffIds[i]!;
      parent = chainIdOf(parent, diffId);
      lease.hold(parent);
      lease.hold(digest);
      const chainId = layers.find(parent) ? parent : layers.findDiff(diffId);
      if (chainId && originals.blob(digest)?.diffId === diffId) {
        lease.hold(chainId);
        onProgress(layerStatus(digest, 'Already exists'));
        return { diffId, chainId };
      }
      onProgress(layerStatus(digest, 'Pulling fs layer'));
      if (!downloads.has(digest)) {
        const download = this.#downloads.want({ repository, descriptor, diffId, onProgress });
        wanted.use(download);
        downloads.set(digest, download);
      }
      return downloads.get(digest)!.staged;
    });
    const chain = await orAborted(Promise.all(sources), signal);
    await this.#alone(() => {
      signal.throwIfAborted();
      return commitLayers(layers, chain, { unused: this.#downloads.unused, lease });
    });
    const blobs = manifest.layers.map(({ digest, mediaType, size }, i) => ({
      digest,
      diffId: diffIds[i]!,
      mediaType,
      size,
      // Of a layer that was here already, no bytes have come.
      kept: downloads.has(digest) && digest !== diffIds[i],
    }));
    originals.rememberBlobs(blobs, image.options.unnamed ? null : `${reference.domain}/${reference.path}`);
    for (const digest of downloads.keys()) onProgress(layerStatus(digest, 'Pull complete'));
  }

  /** One at a time: what two images have in common is committed once, and found by the second. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#sealed.then(work);
    this.#sealed = result.catch(() => {});
    return result;
  }
}

/** Throws NotFound when the only image there is is for another platform than the one asked for. */
function checkPlatform(config: Buffer, reference: Reference, wanted: Platform | undefined): void {
  const its = parseImageConfig(config);
  if (its.os !== hostPlatform.os)
    throw new InvalidDocument(`image operating system "${its.os}" cannot be used on this platform`);
  requirePlatform(its, wanted, familiarReference(reference));
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
