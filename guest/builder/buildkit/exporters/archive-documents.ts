import { type Digest, digestOf } from '../../../digest.ts';
import { mediaTypes } from '../../../images/manifest.ts';
import type { Platform } from '../../../images/platform.ts';
import { familiarReference, formatReference } from '../../../reference.ts';
import type { Annotations } from './annotations.ts';
import type { TaggedName } from './image-names.ts';
import type { LayerCompression } from './layer-form.ts';

/** `oci-mediatypes`: the words that a manifest has for what it names. */
export type MediaTypes = 'oci' | 'docker';

const docker = 'application/vnd.docker';

const words = {
  oci: {
    index: mediaTypes.index,
    manifest: mediaTypes.manifest,
    config: mediaTypes.config,
    layer: {
      uncompressed: mediaTypes.layer,
      gzip: `${mediaTypes.layer}+gzip`,
      zstd: `${mediaTypes.layer}+zstd`,
    },
  },
  docker: {
    index: `${docker}.distribution.manifest.list.v2+json`,
    manifest: `${docker}.distribution.manifest.v2+json`,
    config: `${docker}.container.image.v1+json`,
    layer: {
      uncompressed: `${docker}.image.rootfs.diff.tar`,
      gzip: `${docker}.image.rootfs.diff.tar.gzip`,
      zstd: `${docker}.image.rootfs.diff.tar.zstd`,
    },
  },
} as const;

export interface ArchivedLayer {
  readonly compression: LayerCompression;
  readonly digest: Digest;
  readonly size: number;
}

/** A document by which an image goes, or several do. */
export interface ArchivedDocument {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export type Descriptor = ReturnType<typeof describe>;

/** The manifest of an image. */
export function manifestDocument(
  kind: MediaTypes,
  image: {
    readonly config: Buffer;
    readonly layers: readonly ArchivedLayer[];
    readonly platform: Platform;
    readonly annotations: Annotations;
  },
): ArchivedDocument {
  const { manifest: mediaType, config, layer } = words[kind];
  const bytes = json({
    ...{ schemaVersion: 2, mediaType },
    config: { mediaType: config, digest: digestOf(image.config), size: image.config.length },
    layers: image.layers.map(({ compression, digest, size }) => ({
      mediaType: layer[compression],
      ...{ digest, size },
    })),
    ...some(image.annotations.of('manifest', image.platform)),
  });
  return { mediaType, bytes };
}

/** The index of images for several platforms. */
export function manifestListDocument(
  kind: MediaTypes,
  manifests: readonly Descriptor[],
  annotations: Annotations,
): ArchivedDocument {
  const { index: mediaType } = words[kind];
  return {
    mediaType,
    bytes: json({ schemaVersion: 2, mediaType, manifests, ...some(annotations.of('index')) }),
  };
}

/** What an index says of a document in it. */
export function describe(
  { mediaType, bytes }: ArchivedDocument,
  about: { readonly annotations: Readonly<Record<string, string>>; readonly platform?: Platform },
) {
  const { platform } = about;
  return {
    ...{ mediaType, digest: digestOf(bytes), size: bytes.length },
    ...some(about.annotations),
    ...(platform && {
      platform: {
        ...{ architecture: platform.architecture, os: platform.os },
        ...(platform.variant && { variant: platform.variant }),
      },
    }),
  };
}

function some(annotations: Readonly<Record<string, string>>): {
  readonly annotations?: Readonly<Record<string, string>>;
} {
  return Object.keys(annotations).length > 0 ? { annotations } : {};
}

/** `index.json` of an OCI layout: one entry for each name, or one without a name. */
export function indexDocument(descriptor: Descriptor, names: readonly TaggedName[]): Buffer {
  const named = names.map((name) => ({
    ...descriptor,
    annotations: {
      ...descriptor.annotations,
      'io.containerd.image.name': formatReference(name),
      'org.opencontainers.image.ref.name': name.tag,
    },
  }));
  const manifests = named.length > 0 ? named : [descriptor];
  return json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
}

/** `manifest.json` of `docker save`. */
export function dockerDocument(image: {
  readonly configPath: string;
  readonly names: readonly TaggedName[];
  readonly layerPaths: readonly string[];
}): Buffer {
  const { configPath, names, layerPaths } = image;
  const tags = names.length > 0 ? names.map(familiarReference) : null;
  return json([{ Config: configPath, RepoTags: tags, Layers: layerPaths }]);
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
