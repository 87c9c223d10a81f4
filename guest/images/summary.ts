import type { Digest } from '../digest.ts';
import { familiarName, familiarReference, type Reference } from '../reference.ts';
import type { Image } from './image.ts';
import type { ManifestSummary } from './manifest-summary.ts';

/** One line of `docker images`, in the casing and with the quirks of the Engine API. */
export interface ImageSummary {
  readonly Containers: number;
  readonly Created: number;
  readonly Id: Digest;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ParentId: string;
  readonly RepoDigests: readonly string[];
  readonly RepoTags: readonly string[];
  readonly SharedSize: number;
  readonly Size: number;
  readonly VirtualSize?: number;
  readonly Manifests?: readonly ManifestSummary[];
}

/** @param containers and sharedBytes are -1 where nobody asked */
export function summaryOf(
  image: Image,
  names: readonly Reference[],
  options: {
    readonly containers: number;
    readonly sharedBytes: number;
    readonly apiMinor: number;
    readonly manifest?: ManifestSummary | undefined;
  },
): ImageSummary {
  const { tags, digests } = splitNames(names);
  // Clients before 1.43 expect placeholders where there is no name at all.
  const placeholders = options.apiMinor < 43 && names.length === 0;
  return {
    Containers: options.containers,
    Created: Math.floor(image.createdAt.getTime() / 1000),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: image.parent ?? '',
    RepoDigests: placeholders ? ['<none>@<none>'] : digests,
    RepoTags: placeholders ? ['<none>:<none>'] : tags,
    SharedSize: options.sharedBytes,
    Size: image.sizeBytes,
    ...(options.apiMinor < 44 && { VirtualSize: image.sizeBytes }),
    ...(options.manifest && { Manifests: [options.manifest] }),
  };
}

/** RepoTags and RepoDigests. */
export function splitNames(names: readonly Reference[]): { tags: string[]; digests: string[] } {
  return {
    tags: names.filter(({ tag }) => tag !== undefined).map(familiarReference),
    digests: names
      .filter(({ digest }) => digest !== undefined)
      .map((name) => `${familiarName(name)}@${name.digest}`),
  };
}
