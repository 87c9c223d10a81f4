import { InvalidParameter } from '../errors.ts';
import { formatReference, parseReference, type Reference, withDefaultTag } from '../reference.ts';
import { type ArchiveDescriptor, dockerManifest, ociDocument, parseDocument } from './archive-documents.ts';
import type { ArchiveContents, LayerSource } from './archive-reader.ts';
import { parseImageConfig } from './image-config.ts';
import { matchesPlatform, type Platform } from './platform.ts';

/** One image of an archive, its layers bottom first, each the one that its configuration names. */
export interface ArchiveImage {
  readonly config: Buffer;
  readonly layers: readonly LayerSource[];
  readonly names: readonly Reference[];
}

/**
 * What `docker save` (all versions with `manifest.json`) and OCI image layouts hold. Where an image has
 * several platforms, the wanted one is taken. Throws InvalidParameter.
 */
export function imagesOf(archive: ArchiveContents, platform: Platform): ArchiveImage[] {
  const manifest = archive.document('manifest.json');
  if (manifest) {
    return parseDocument('manifest.json', manifest, dockerManifest).map((item) =>
      toImage(archive, item.Config, item.Layers ?? [], (item.RepoTags ?? []).map(parseName)),
    );
  }
  const index = archive.document('index.json');
  if (!index)
    throw new InvalidParameter('invalid image archive: it has neither manifest.json nor index.json');
  return fromIndex(archive, 'index.json', index, platform, []);
}

function fromIndex(
  archive: ArchiveContents,
  name: string,
  bytes: Buffer,
  platform: Platform,
  names: readonly Reference[],
): ArchiveImage[] {
  const { manifests, config, layers } = parseDocument(name, bytes, ociDocument);
  if (config) return [toImage(archive, blobPath(config), (layers ?? []).map(blobPath), names)];
  const isTop = name === 'index.json';
  // In a nested index the manifests are one image for several platforms; at the top they are several images.
  const wanted = (manifests ?? []).filter(({ platform: its }) => !its || matchesPlatform(its, platform));
  if (wanted.length === 0) {
    throw new InvalidParameter(`image archive has nothing for ${platform.os}/${platform.architecture}`);
  }
  return (isTop ? wanted : wanted.slice(0, 1)).flatMap((item) => {
    const path = blobPath(item);
    const blob = archive.document(path);
    if (!blob || path === name) throw new InvalidParameter(`invalid image archive: "${path}" is missing`);
    return fromIndex(archive, path, blob, platform, isTop ? namesOf(item) : names);
  });
}

function toImage(
  archive: ArchiveContents,
  configPath: string,
  paths: readonly string[],
  names: readonly Reference[],
): ArchiveImage {
  const config = archive.document(configPath);
  if (!config) throw new InvalidParameter(`invalid image archive: "${configPath}" is missing`);
  const diffIds = parseImageConfig(config).rootfs.diff_ids;
  if (diffIds.length !== paths.length) {
    throw new InvalidParameter(
      `invalid manifest, layers length mismatch: expected ${paths.length}, got ${diffIds.length}`,
    );
  }
  const layers = paths.map((path, i) => {
    const layer = archive.layer(path);
    if (!layer) throw new InvalidParameter(`invalid image archive: "${path}" is missing`);
    if (layer.diffId !== diffIds[i]) {
      throw new InvalidParameter(
        `invalid diffID for layer ${i}: expected "${diffIds[i]}", got "${layer.diffId}"`,
      );
    }
    return layer;
  });
  return { config, layers, names };
}

/** containerd writes the whole name; the OCI annotation is a tag for some tools and a name for others. */
function namesOf({ annotations }: ArchiveDescriptor): Reference[] {
  const whole = annotations?.['io.containerd.image.name'];
  const ref = annotations?.['org.opencontainers.image.ref.name'];
  const name = whole ?? (ref?.includes(':') ? ref : undefined);
  return name === undefined ? [] : [parseName(name)];
}

function parseName(text: string): Reference {
  return parseReference(formatReference(withDefaultTag(parseReference(text))));
}

function blobPath({ digest }: ArchiveDescriptor): string {
  return `blobs/${digest.replace(':', '/')}`;
}
