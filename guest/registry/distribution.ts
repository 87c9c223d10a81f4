import { parseImageConfig } from '../images/image-config.ts';
import type { Platform } from '../images/platform.ts';
import type { Reference } from '../reference.ts';
import { isAbout } from './choose-platform.ts';
import { parseDocument } from './documents.ts';
import { fetchConfig } from './fetch-config.ts';
import type { Repository } from './repository.ts';

/** The answer to `GET /distribution/{name}/json`, in the casing of the Engine API. */
export interface DistributionInspection {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly Platforms: readonly Platform[];
}

/** Throws as {@link Repository.manifest} and {@link fetchConfig}. */
export async function inspectDistribution(
  repository: Repository,
  reference: Reference,
  wish: { readonly signal: AbortSignal; readonly retryDelayMs: number },
): Promise<DistributionInspection> {
  const { digest, mediaType, bytes } = await repository.manifest(
    reference.digest ?? reference.tag ?? 'latest',
    wish.signal,
  );
  const document = parseDocument(bytes, mediaType);
  const Descriptor = { mediaType, digest, size: bytes.length };
  if (document.kind === 'index') {
    const images = document.index.manifests.filter((entry) => !isAbout(entry));
    return { Descriptor, Platforms: images.flatMap(({ platform }) => (platform ? [pick(platform)] : [])) };
  }
  const config = await fetchConfig(repository, document.manifest, wish);
  return { Descriptor, Platforms: [pick(parseImageConfig(config))] };
}

function pick({ os, architecture, variant }: Platform): Platform {
  return { architecture, os, ...(variant && { variant }) };
}
