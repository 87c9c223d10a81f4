import type { Image } from './image.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import type { Platform } from './platform.ts';

/** What `manifests=1` asks for (Engine API 1.47 on): an image here is for one platform and has one manifest. */
export interface ManifestSummary {
  readonly ID: string;
  readonly Descriptor: Descriptor;
  readonly Available: boolean;
  readonly Size: { readonly Content: number; readonly Total: number };
  readonly Kind: 'image';
  readonly ImageData: {
    readonly Platform: Platform;
    readonly Containers: readonly string[];
    readonly Size: { readonly Unpacked: number };
  };
}

/** @param containers ids of those made from the image */
export function manifestSummary(
  image: Image,
  { descriptor, bytes, config }: Manifest,
  containers: readonly string[],
): ManifestSummary {
  const { os, architecture, variant } = image.config;
  // Layers are kept unpacked only; nothing is stored twice.
  const content = bytes.length + config.length;
  return {
    ID: descriptor.digest,
    Descriptor: descriptor,
    Available: true,
    Size: { Content: content, Total: content + image.sizeBytes },
    Kind: 'image',
    ImageData: {
      Platform: { architecture, os, ...(variant && { variant }) },
      Containers: containers,
      Size: { Unpacked: image.sizeBytes },
    },
  };
}
