import { Readable } from 'node:stream';
import type { Leases } from '../content/leases.ts';
import { type Digest, hexOf } from '../digest.ts';
import { NotFound } from '../errors.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import { familiarReference, formatReference } from '../reference.ts';
import { type ArchivePart, archiveTar, blobPath } from './archive-tar.ts';
import type { Image } from './image.ts';
import type { ImageStore } from './image-store.ts';
import { type Descriptor, manifestOf, mediaTypes } from './manifest.ts';
import type { Saved } from './select-saved.ts';

export interface SaveDependencies {
  readonly leases: Leases;
  readonly layers: OverlayLayerStore;
  readonly images: ImageStore;
}

/**
 * A docker archive and an OCI layout in one tar, as `docker save` has written since version 25. The same
 * images give the same bytes. Throws NotFound before the stream begins when a layer is missing.
 */
export function saveImages({ leases, layers, images }: SaveDependencies, saved: readonly Saved[]): Readable {
  if (saved.length === 0) throw new NotFound('no image was named; docker save IMAGE...');
  const parts = new Map<string, ArchivePart>();
  const put = (path: string, content: Buffer, more: Pick<ArchivePart, 'modifiedAt'> = {}) =>
    parts.set(path, { size: content.length, open: () => [content], ...more });
  const chains: Digest[] = [];
  const manifests: Descriptor[] = [];
  const items: object[] = [];
  const repositories: Record<string, Record<string, string>> = {};
  const ids = new Set<Digest | null>(saved.map(({ image }) => image.id));
  // A parent before its children.
  const ordered = [...saved].sort((a, b) => generation(a.image, images) - generation(b.image, images));
  for (const { image, names } of ordered) {
    const { descriptor, bytes, config, layers: tars } = manifestOf(image, { images, layers });
    const { createdAt: modifiedAt } = image;
    put(blobPath(image.id), config, { modifiedAt });
    put(blobPath(descriptor.digest), bytes);
    for (const { digest, size, chainId } of tars) {
      chains.push(chainId);
      parts.set(blobPath(digest), { size, modifiedAt, open: () => layers.readTar(chainId) });
    }
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
      ...(ids.has(image.parent) && { Parent: image.parent }),
      RepoTags: names.length > 0 ? names.map(familiarReference) : null,
      Layers: tars.map(({ digest }) => blobPath(digest)),
      LayerSources: Object.fromEntries(
        tars.map(({ mediaType, digest, size }) => [digest, { mediaType, digest, size }]),
      ),
    });
  }
  put('index.json', json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  put('manifest.json', json(items));
  put('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  if (Object.keys(repositories).length > 0) put('repositories', json(repositories));
  // An image that is removed meanwhile is still sent whole.
  const lease = leases.open();
  for (const chainId of chains) lease.hold(chainId);
  const stream = Readable.from(archiveTar(parts), { objectMode: false, highWaterMark: 256 * 1024 });
  return stream.once('close', () => lease[Symbol.dispose]());
}

function generation({ parent }: Image, images: ImageStore): number {
  const before = parent === null ? undefined : images.get(parent);
  return before ? 1 + generation(before, images) : 0;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
