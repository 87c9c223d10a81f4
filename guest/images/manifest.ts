import { type Digest, digestOf } from '../digest.ts';
import { chainIdOf } from '../layers/chain.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { Image } from './image.ts';
import type { ImageStore } from './image-store.ts';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/** OCI image spec, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The manifest of an image as this engine holds it: its layers are plain tars. */
export interface Manifest {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  readonly config: Buffer;
  readonly layers: readonly (Descriptor & { readonly chainId: Digest })[];
}

/** The same image always gives the same bytes. Throws NotFound when a layer is missing. */
export function manifestOf(
  image: Image,
  { images, layers }: { readonly images: ImageStore; readonly layers: OverlayLayerStore },
): Manifest {
  const config = images.configBytes(image.id);
  let chainId: Digest | null = null;
  const tars = image.config.rootfs.diff_ids.map((digest) => {
    chainId = chainIdOf(chainId, digest);
    return { mediaType: mediaTypes.layer, digest, size: layers.tarSize(chainId), chainId };
  });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: describe(mediaTypes.config, config),
      layers: tars.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  );
  return { descriptor: describe(mediaTypes.manifest, bytes), bytes, config, layers: tars };
}

function describe(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
