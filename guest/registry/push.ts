import type { Lease } from '../content/leases.ts';
import { type Digest, digestOf } from '../digest.ts';
import type { Image } from '../images/image.ts';
import type { Images } from '../images/index.ts';
import type { LayerBlob } from '../images/originals.ts';
import { chainIdOf } from '../layers/chain.ts';
import { familiarName, familiarReference, type Reference } from '../reference.ts';
import { mediaTypes, parseDocument } from './documents.ts';
import { layerStatus, type OnProgress } from './progress.ts';
import { type PushedLayer, pushLayer } from './push-layer.ts';
import { Semaphore } from './semaphore.ts';
import type { RegistrySession } from './session.ts';
import { RepositoryWriter } from './upload.ts';

/** As many as dockerd's default. */
const maxUploads = 5;

/** What is pushed: an image that is here, or one that only its configuration and layers are here of. */
export type OutgoingImage = Pick<Image, 'id' | 'config' | 'chainId'> & { readonly configBytes: Buffer };

export interface PushedImage {
  readonly digest: Digest;
  /** Bytes of the manifest. */
  readonly size: number;
}

export interface PushOptions {
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
  readonly retryDelayMs: number;
}

export interface OutgoingManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * Puts an image into a repository under a tag. What came from a registry goes out by the manifest that it
 * came by, so that its digest is the same everywhere. Throws Refused, Unreachable.
 */
export async function pushImage(
  session: RegistrySession,
  parts: Images,
  request: PushOptions & {
    readonly image: Image;
    readonly name: Reference & { readonly tag: string };
  },
): Promise<PushedImage> {
  const { images, leases, originals, events } = parts;
  const { image, name, signal } = request;
  const { domain, path, tag } = name;
  using lease = leases.open();
  const configBytes = images.configBytes(image.id);
  const manifest = await sendImage(session, parts, { ...request, image: { ...image, configBytes }, lease });
  await new RepositoryWriter(session, name).putManifest(tag, manifest, signal);

  const digest = digestOf(manifest.bytes);
  await originals.content.ingest(digest, once(manifest.bytes), { maxBytes: manifest.bytes.length, lease });
  originals.rememberManifest(image.id, { digest, mediaType: manifest.mediaType });
  images.tag({ domain, path, digest }, image.id);
  events.publish({
    type: 'image',
    action: 'push',
    actor: {
      id: familiarReference(name),
      attributes: { ...(image.config.config?.Labels ?? {}), name: familiarName(name) },
    },
  });
  return { digest, size: manifest.bytes.length };
}

/** Puts layers and configuration of an image into a repository; returns the manifest, which is still to be put. */
export async function sendImage(
  session: RegistrySession,
  parts: Images,
  request: PushOptions & {
    readonly image: OutgoingImage;
    readonly name: Reference;
    readonly lease: Lease;
  },
): Promise<OutgoingManifest> {
  const { originals } = parts;
  const { image, name, onProgress, retryDelayMs, lease } = request;
  const failed = new AbortController();
  const signal = AbortSignal.any([request.signal, failed.signal]);
  const { domain, path } = name;
  const writer = new RepositoryWriter(session, name);
  const retry = { signal, firstDelayMs: retryDelayMs };
  if (image.chainId) lease.hold(image.chainId);

  const original = await originalManifest(parts, image);
  const layers = layersOf(image, original?.blobs);
  for (const { diffId } of layers.toReversed()) onProgress(layerStatus(diffId, 'Preparing'));
  const context = { images: parts, writer, domain, path, onProgress, retry };
  const blobs = await pushLayers(layers, (layer) => pushLayer(layer, context), { onProgress, failed });
  originals.rememberBlobs(blobs, `${domain}/${path}`);

  const isOriginal = original?.blobs.every(({ digest }, i) => digest === blobs[i]!.digest);
  const config = image.configBytes;
  if (!(await writer.has(image.id, signal)))
    await writer.upload(
      { digest: image.id, size: config.length, open: (start) => once(config.subarray(start)) },
      { ...retry, onBytes: () => {} },
    );
  return original && isOriginal ? original.manifest : newManifest(image.id, config.length, blobs);
}

/** A manifest of the image all of whose blobs can be had. */
async function originalManifest(
  { originals }: Images,
  image: Pick<Image, 'id'>,
): Promise<{ manifest: OutgoingManifest; blobs: LayerBlob[] } | undefined> {
  for (const { digest, mediaType } of originals.manifestsOf(image.id)) {
    const bytes = await originals.content.read(digest);
    const document = parseDocument(bytes, mediaType);
    if (document.kind !== 'manifest') continue;
    const blobs = document.manifest.layers.map((layer) => originals.blob(layer.digest));
    if (blobs.every((blob) => blob !== undefined)) return { manifest: { mediaType, bytes }, blobs };
  }
  return undefined;
}

function layersOf(image: Pick<Image, 'config'>, preferred: readonly LayerBlob[] | undefined): PushedLayer[] {
  let parent: Digest | null = null;
  return image.config.rootfs.diff_ids.map((diffId, i) => {
    const chainId: Digest = chainIdOf(parent, diffId);
    parent = chainId;
    return { diffId, chainId, preferred: preferred?.[i] };
  });
}

/** The top first, as dockerd does; the same tar once. In the order of the layers. The first failure ends all. */
async function pushLayers(
  layers: readonly PushedLayer[],
  push: (layer: PushedLayer) => Promise<LayerBlob>,
  { onProgress, failed }: { readonly onProgress: OnProgress; readonly failed: AbortController },
): Promise<LayerBlob[]> {
  const places = new Semaphore(maxUploads);
  const underway = new Map<Digest, Promise<LayerBlob>>();
  for (const layer of layers.toReversed()) {
    if (underway.has(layer.diffId)) continue;
    const waits = () => onProgress(layerStatus(layer.diffId, 'Waiting'));
    underway.set(
      layer.diffId,
      places.run(() => push(layer), waits),
    );
  }
  try {
    return await Promise.all(layers.map(({ diffId }) => underway.get(diffId)!));
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(underway.values());
    throw error;
  }
}

function newManifest(image: Digest, configBytes: number, blobs: readonly LayerBlob[]): OutgoingManifest {
  const mediaType = mediaTypes.dockerManifest;
  const document = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: mediaTypes.dockerConfig, digest: image, size: configBytes },
    layers: blobs.map((blob) => ({ mediaType: typeOf(blob), digest: blob.digest, size: blob.size })),
  };
  return { mediaType, bytes: Buffer.from(JSON.stringify(document)) };
}

/** A manifest of Docker's kind names its layers by Docker's types where there are such. */
function typeOf({ mediaType }: LayerBlob): string {
  return mediaType === 'application/vnd.oci.image.layer.v1.tar+gzip' ? mediaTypes.dockerLayer : mediaType;
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
