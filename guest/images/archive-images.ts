import { type Digest, isDigest } from '../digest.ts';
import { InvalidParameter } from '../errors.ts';
import { formatReference, parseReference, type Reference, withDefaultTag } from '../reference.ts';
import { dockerManifest, type ImageDescription, ociDocument, parseDocument } from './archive-documents.ts';
import type { ArchiveContents, LayerSource } from './archive-reader.ts';
import { parseImageConfig } from './image-config.ts';
import { fromLegacy } from './legacy-archive.ts';
import { ociManifests } from './oci-manifests.ts';
import { formatPlatform, matchesPlatform, type Platform } from './platform.ts';

/** One image of an archive, its layers bottom first, each the one that its configuration names. */
export interface ArchiveImage {
  readonly config: Buffer;
  readonly layers: readonly LayerSource[];
  readonly names: readonly Reference[];
  /** Of an image that comes before it or is here already. */
  readonly parent: Digest | null;
  /** It is there for its children alone: nobody is told of it. */
  readonly untold?: true;
}

/**
 * What `docker save` of any version and OCI image layouts hold. Where an image has
 * several platforms, the wanted one is taken, or the one that fits this computer. Throws InvalidParameter,
 * also when there is nothing for the wanted platform.
 */
export function imagesOf(archive: ArchiveContents, platform?: Platform): ArchiveImage[] {
  const images = descriptionsOf(archive, platform);
  const wanted = images.filter(({ config }) => !platform || matchesPlatform(platformOf(config), platform));
  if (wanted.length === 0) {
    throw new InvalidParameter(
      `the image archive has nothing${platform ? ` for ${formatPlatform(platform)}` : ''}`,
    );
  }
  return wanted.map((image) => ({ ...image, layers: layersOf(archive, image) }));
}

function descriptionsOf(archive: ArchiveContents, platform: Platform | undefined): ImageDescription[] {
  if (archive.document('manifest.json')) return fromDocker(archive);
  const isLegacy = !archive.document('index.json') && archive.document('repositories');
  return isLegacy ? fromLegacy(archive) : fromOci(archive, platform);
}

function fromDocker(archive: ArchiveContents): ImageDescription[] {
  const items = parseDocument('manifest.json', archive.document('manifest.json')!, dockerManifest);
  return items.map(({ Config, Layers, RepoTags, Parent }) => ({
    config: documentOf(archive, Config),
    paths: Layers ?? [],
    names: (RepoTags ?? []).map(parseName),
    parent: Parent && isDigest(Parent) ? Parent : null,
  }));
}

function fromOci(archive: ArchiveContents, platform: Platform | undefined): ImageDescription[] {
  return ociManifests(archive, platform).map(({ path, names }) => {
    const { config, layers } = parseDocument(path, documentOf(archive, path), ociDocument);
    if (!config) throw new InvalidParameter(`invalid image archive: "${path}" names no configuration`);
    return {
      config: documentOf(archive, blobPath(config)),
      paths: (layers ?? []).map(blobPath),
      names: names.map(parseName),
      parent: null,
    };
  });
}

function layersOf(archive: ArchiveContents, { config, paths }: ImageDescription): LayerSource[] {
  const diffIds = parseImageConfig(config).rootfs.diff_ids;
  if (diffIds.length !== paths.length) {
    throw new InvalidParameter(
      `invalid manifest, layers length mismatch: expected ${paths.length}, got ${diffIds.length}`,
    );
  }
  return paths.map((path, i) => {
    const layer = archive.layer(path);
    if (!layer) throw new InvalidParameter(`invalid image archive: "${path}" is missing`);
    if (layer.diffId !== diffIds[i]) {
      throw new InvalidParameter(
        `invalid diffID for layer ${i}: expected "${diffIds[i]}", got "${layer.diffId}"`,
      );
    }
    return layer;
  });
}

function platformOf(config: Buffer): Platform {
  return parseImageConfig(config);
}

function documentOf(archive: ArchiveContents, path: string): Buffer {
  const document = archive.document(path);
  if (!document) throw new InvalidParameter(`invalid image archive: "${path}" is missing`);
  return document;
}

function parseName(text: string): Reference {
  return parseReference(formatReference(withDefaultTag(parseReference(text))));
}

function blobPath({ digest }: { readonly digest: string }): string {
  return `blobs/${digest.replace(':', '/')}`;
}
