import { type Digest, digestOf } from '../digest.ts';
import type { Images } from '../images/index.ts';
import type { ImageManifest } from '../images/originals.ts';
import type { Platform } from '../images/platform.ts';
import type { Reference } from '../reference.ts';
import { isIndexType, mediaTypes } from './documents.ts';
import {
  type OutgoingImage,
  type OutgoingManifest,
  type PushedImage,
  type PushOptions,
  sendImage,
} from './push.ts';
import { Repository } from './repository.ts';
import type { RegistrySession } from './session.ts';
import { RepositoryWriter } from './upload.ts';

/** An image of an index, and what it is for. */
export interface PlatformImage {
  readonly platform: Platform;
  readonly image: OutgoingImage;
}

/**
 * Puts images for several platforms into a repository under one tag: each by its digest, then the index of them all.
 * The engine keeps the index with the one of them that it has under the name, so that {@link pushIndexAgain} finds it.
 * Throws Refused, Unreachable.
 */
export async function pushIndex(
  session: RegistrySession,
  parts: Images,
  request: PushOptions & {
    readonly images: readonly PlatformImage[];
    readonly name: Reference & { readonly tag: string };
  },
): Promise<PushedImage> {
  const { name, signal } = request;
  const { images, originals } = parts;
  const writer = new RepositoryWriter(session, name);
  using lease = parts.leases.open();
  const entries: { readonly platform: Platform; readonly manifest: OutgoingManifest }[] = [];
  for (const { image, platform } of request.images) {
    const manifest = await sendImage(session, parts, { ...request, image, lease });
    await writer.putManifest(digestOf(manifest.bytes), manifest, signal);
    entries.push({ platform, manifest });
  }
  const { mediaType, bytes } = indexOf(entries);
  await writer.putManifest(name.tag, { mediaType, bytes }, signal);
  const digest = digestOf(bytes);
  const own = images.byReference(name);
  if (own) {
    lease.hold(digest);
    await originals.content.ingest(digest, once(bytes), { maxBytes: bytes.length, lease });
    originals.rememberManifest(own.id, { digest, mediaType });
    images.tag(byDigest(name, digest), own.id);
  }
  return { digest, size: bytes.length };
}

/**
 * A name that was pushed with several platforms, of which the engine has one, is pushed as that again: its index, which
 * the registry has all parts of. Undefined when it was not, or the registry has it no more.
 */
export async function pushIndexAgain(
  session: RegistrySession,
  parts: Images,
  request: {
    readonly imageId: Digest;
    readonly name: Reference & { readonly tag: string };
    readonly signal: AbortSignal;
  },
): Promise<PushedImage | undefined> {
  const { name, signal } = request;
  const repository = new Repository(session, name);
  for (const { digest, mediaType } of indexesOf(parts, request.imageId, name)) {
    if (!(await repository.digestOf(digest, signal))) continue;
    const bytes = await parts.originals.content.read(digest);
    await new RepositoryWriter(session, name).putManifest(name.tag, { mediaType, bytes }, signal);
    return { digest, size: bytes.length };
  }
  return undefined;
}

/** The name stands for one image from now on. */
export function forgetIndexes(parts: Images, imageId: Digest, name: Reference): void {
  for (const { digest } of indexesOf(parts, imageId, name)) parts.images.untag(byDigest(name, digest));
}

function indexesOf({ images, originals }: Images, imageId: Digest, name: Reference): ImageManifest[] {
  return originals
    .manifestsOf(imageId)
    .filter(({ mediaType }) => isIndexType(mediaType))
    .filter(({ digest }) => images.byReference(byDigest(name, digest))?.id === imageId);
}

function byDigest({ domain, path }: Reference, digest: Digest): Reference {
  return { domain, path, digest };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Of Docker's kind when all in it are, else OCI's, which may have both. */
function indexOf(
  entries: readonly { readonly platform: Platform; readonly manifest: OutgoingManifest }[],
): OutgoingManifest {
  const isDocker = entries.every(({ manifest }) => manifest.mediaType === mediaTypes.dockerManifest);
  const mediaType = isDocker ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const manifests = entries.map(({ manifest, platform: { os, architecture, variant } }) => ({
    mediaType: manifest.mediaType,
    digest: digestOf(manifest.bytes),
    size: manifest.bytes.length,
    platform: { architecture, os, ...(variant && { variant }) },
  }));
  return { mediaType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })) };
}
