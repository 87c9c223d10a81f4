import { verified } from '../content/verified.ts';
import { parseImageConfig } from '../images/image-config.ts';
import type { Platform } from '../images/platform.ts';
import type { Reference } from '../reference.ts';
import { isAbout } from './choose-platform.ts';
import { parseDocument } from './documents.ts';
import type { Repository } from './repository.ts';

/** The answer to `GET /distribution/{name}/json`, in the casing of the Engine API. */
export interface DistributionInspection {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly Platforms: readonly Platform[];
}

/** Throws as {@link Repository.manifest}. */
export async function inspectDistribution(
  repository: Repository,
  reference: Reference,
  signal: AbortSignal,
): Promise<DistributionInspection> {
  const { digest, mediaType, bytes } = await repository.manifest(
    reference.digest ?? reference.tag ?? 'latest',
    signal,
  );
  const document = parseDocument(bytes, mediaType);
  const Descriptor = { mediaType, digest, size: bytes.length };
  if (document.kind === 'index') {
    const images = document.index.manifests.filter((entry) => !isAbout(entry));
    return { Descriptor, Platforms: images.flatMap(({ platform }) => (platform ? [pick(platform)] : [])) };
  }
  const { config } = document.manifest;
  const { body } = await repository.blob(config.digest, 0, signal);
  const pieces: Buffer[] = [];
  for await (const piece of verified(body, { digest: config.digest, maxBytes: config.size }))
    pieces.push(piece);
  return { Descriptor, Platforms: [pick(parseImageConfig(Buffer.concat(pieces)))] };
}

function pick({ os, architecture, variant }: Platform): Platform {
  return { architecture, os, ...(variant && { variant }) };
}
