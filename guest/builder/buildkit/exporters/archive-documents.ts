import { type Digest, digestOf } from '../../../digest.ts';
import { mediaTypes } from '../../../images/manifest.ts';
import type { Platform } from '../../../images/platform.ts';
import { familiarReference, formatReference } from '../../../reference.ts';
import type { Attributes } from './attributes.ts';
import type { TaggedName } from './image-names.ts';
import type { LayerCompression } from './layer-form.ts';

/** `oci-mediatypes`: the words that a manifest has for what it names. */
export type MediaTypes = 'oci' | 'docker';

/** OCI annotations (`annotation.KEY=VALUE` and its variants), by where they go. */
export interface Annotations {
  readonly manifest: ReadonlyMap<string, string>;
  /** In the index, beside the manifest's digest. */
  readonly descriptor: ReadonlyMap<string, string>;
}

const docker = 'application/vnd.docker';

const words = {
  oci: {
    manifest: mediaTypes.manifest,
    config: mediaTypes.config,
    layer: {
      uncompressed: mediaTypes.layer,
      gzip: `${mediaTypes.layer}+gzip`,
      zstd: `${mediaTypes.layer}+zstd`,
    },
  },
  docker: {
    manifest: `${docker}.distribution.manifest.v2+json`,
    config: `${docker}.container.image.v1+json`,
    layer: {
      uncompressed: `${docker}.image.rootfs.diff.tar`,
      gzip: `${docker}.image.rootfs.diff.tar.gzip`,
      zstd: `${docker}.image.rootfs.diff.tar.zstd`,
    },
  },
} as const;

/** Of one image: what is for an index is refused, as there is none with more than one image. */
export function takeAnnotations(attributes: Attributes): Annotations {
  const manifest = new Map([
    ...attributes.takeAll('annotation.'),
    ...attributes.takeAll('annotation-manifest.'),
  ]);
  return { manifest, descriptor: attributes.takeAll('annotation-manifest-descriptor.') };
}

export interface ArchivedLayer {
  readonly compression: LayerCompression;
  readonly digest: Digest;
  readonly size: number;
}

/** The manifest's bytes, and the types by which it goes. */
export function manifestDocument(
  kind: MediaTypes,
  image: {
    readonly config: Buffer;
    readonly layers: readonly ArchivedLayer[];
    readonly annotations: Annotations;
  },
): { readonly mediaType: string; readonly bytes: Buffer } {
  const { manifest: mediaType, config, layer } = words[kind];
  const bytes = json({
    ...{ schemaVersion: 2, mediaType },
    config: { mediaType: config, digest: digestOf(image.config), size: image.config.length },
    layers: image.layers.map(({ compression, digest, size }) => ({
      mediaType: layer[compression],
      ...{ digest, size },
    })),
    ...(image.annotations.manifest.size > 0 && {
      annotations: Object.fromEntries(image.annotations.manifest),
    }),
  });
  return { mediaType, bytes };
}

/** What an index says of the manifest. */
export function manifestDescriptor(
  { mediaType, bytes }: { readonly mediaType: string; readonly bytes: Buffer },
  about: { readonly created: string; readonly annotations: Annotations; readonly platform: Platform },
) {
  const { os, architecture, variant } = about.platform;
  return {
    ...{ mediaType, digest: digestOf(bytes), size: bytes.length },
    annotations: {
      ...Object.fromEntries(about.annotations.descriptor),
      'org.opencontainers.image.created': about.created,
    },
    platform: { architecture, os, ...(variant && { variant }) },
  };
}

/** `index.json` of an OCI layout: one entry for each name, or one without a name. */
export function indexDocument(
  descriptor: ReturnType<typeof manifestDescriptor>,
  names: readonly TaggedName[],
): Buffer {
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
