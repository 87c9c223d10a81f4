import { Readable } from 'node:stream';
import { type Digest, digestOf, hexOf } from '../digest.ts';
import { NotFound } from '../errors.ts';
import { chainIdOf } from '../layers/chain.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import { tarEntry } from '../layers/tar-entry.ts';
import { encodeHeader, tarEnd, tarPadding } from '../layers/tar-writer.ts';
import { familiarReference, formatReference, parseReference, type Reference } from '../reference.ts';
import type { Image } from './image.ts';
import type { ImageStore } from './image-store.ts';

const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A file of the archive: its bytes, or the layer whose tar it is. */
interface Part {
  readonly size: number;
  readonly content: Buffer | { readonly chainId: Digest };
}

/** One image with the names under which it goes into an archive. */
export interface Saved {
  readonly image: Image;
  readonly names: readonly Reference[];
}

/**
 * What the words of a `docker save` mean: a name stands for itself, a repository for all its tags, an id for
 * the image without names. Throws NotFound.
 */
export function selectSaved(images: ImageStore, words: readonly string[]): Saved[] {
  const saved = new Map<Digest, { image: Image; names: Map<string, Reference> }>();
  for (const word of words) {
    for (const { image, name } of meaningOf(images, word)) {
      const item = saved.get(image.id) ?? { image, names: new Map() };
      if (name) item.names.set(formatReference(name), name);
      saved.set(image.id, item);
    }
  }
  return [...saved.values()].map(({ image, names }) => ({ image, names: [...names.values()] }));
}

function meaningOf(images: ImageStore, word: string): { image: Image; name?: Reference }[] {
  if (!/^(?:sha256:)?[0-9a-f]{64}$/.test(word)) {
    const name = parseReference(word);
    const named = images.byReference(name);
    if (name.tag !== undefined && named) return [{ image: named, name }];
    if (name.tag === undefined && name.digest === undefined) {
      const tags = images.tagsOf(name);
      if (tags.length > 0) return tags.map((tag) => ({ image: images.byReference(tag)!, name: tag }));
    }
  }
  return [{ image: images.resolve(word) }];
}

/**
 * A docker archive and an OCI layout in one tar, as `docker save` has written since version 25. The same
 * images give the same bytes. Throws NotFound before the stream begins when a layer is missing.
 */
export async function saveImages(
  layers: OverlayLayerStore,
  images: ImageStore,
  saved: readonly Saved[],
): Promise<Readable> {
  if (saved.length === 0) throw new NotFound('no image was named; docker save IMAGE...');
  const parts = new Map<string, Part>();
  const put = (path: string, content: Buffer) => parts.set(path, { size: content.length, content });
  const blob = (mediaType: string, content: Buffer): Descriptor => {
    const digest = digestOf(content);
    put(blobPath(digest), content);
    return { mediaType, digest, size: content.length };
  };
  const manifests: Descriptor[] = [];
  const items: object[] = [];
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image, names } of saved) {
    const config = blob(mediaTypes.config, images.configBytes(image.id));
    const tars = await layerDescriptors(layers, image, parts);
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: tars };
    const descriptor = blob(mediaTypes.manifest, json(manifest));
    if (names.length === 0) manifests.push(descriptor);
    for (const name of names) {
      const annotations = {
        'io.containerd.image.name': formatReference(name),
        'org.opencontainers.image.ref.name': name.tag ?? '',
      };
      manifests.push({ ...descriptor, annotations });
      const repository = familiarReference({ domain: name.domain, path: name.path });
      repositories[repository] = {
        ...repositories[repository],
        [name.tag ?? '']: hexOf(tars.at(-1)?.digest ?? image.id),
      };
    }
    items.push({
      Config: blobPath(image.id),
      RepoTags: names.length > 0 ? names.map(familiarReference) : null,
      Layers: tars.map(({ digest }) => blobPath(digest)),
      LayerSources: Object.fromEntries(tars.map((tar) => [tar.digest, tar])),
    });
  }
  put('index.json', json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  put('manifest.json', json(items));
  put('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  if (Object.keys(repositories).length > 0) put('repositories', json(repositories));
  return Readable.from(encode(layers, parts), { objectMode: false, highWaterMark: 256 * 1024 });
}

async function layerDescriptors(
  layers: OverlayLayerStore,
  image: Image,
  parts: Map<string, Part>,
): Promise<Descriptor[]> {
  const descriptors: Descriptor[] = [];
  let chainId: Digest | null = null;
  for (const diffId of image.config.rootfs.diff_ids) {
    chainId = chainIdOf(chainId, diffId);
    const path = blobPath(diffId);
    const size = parts.get(path)?.size ?? (await layers.tarSize(chainId));
    parts.set(path, { size, content: { chainId } });
    descriptors.push({ mediaType: mediaTypes.layer, digest: diffId, size });
  }
  return descriptors;
}

async function* encode(layers: OverlayLayerStore, parts: ReadonlyMap<string, Part>): AsyncGenerator<Buffer> {
  for (const path of ['blobs', 'blobs/sha256'])
    yield encodeHeader(tarEntry({ path, type: 'directory', mode: 0o755 }));
  for (const path of [...parts.keys()].sort()) {
    const { size, content } = parts.get(path)!;
    yield encodeHeader(tarEntry({ path, type: 'file', mode: 0o644, size }));
    if (Buffer.isBuffer(content)) yield content;
    else yield* layers.readTar(content.chainId);
    yield tarPadding(size);
  }
  yield tarEnd;
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
