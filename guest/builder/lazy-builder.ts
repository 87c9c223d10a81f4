import { existsSync } from 'node:fs';
import { isDigest } from '../digest.ts';
import { NotFound } from '../errors.ts';
import type { Image } from '../images/image.ts';
import { hostPlatform, matchesPlatform } from '../images/platform.ts';
import { parseReference, withDefaultTag } from '../reference.ts';
import type { Registry } from '../registry/index.ts';
import type { Builder } from './build.ts';
import type { BuilderParts } from './builder.ts';

export interface LazyBuilderParts extends Omit<BuilderParts, 'findImage' | 'cacheLimitBytes'> {
  /** Null = what {@link defaultCacheLimit} says. */
  readonly cacheLimitBytes: number | null;
  registry(): Promise<Registry>;
}

/**
 * The engine's one builder, loaded when somebody first asks for it. Only what an earlier engine's builds have left is
 * looked for at once: their programs may still run.
 */
export async function lazyBuilder(parts: LazyBuilderParts): Promise<() => Promise<Builder>> {
  if (existsSync(parts.paths.builds) || existsSync(parts.paths.buildRuns)) {
    const { sweepBuilds } = await import('./builder.ts');
    await sweepBuilds(parts);
  }
  let opened: Promise<Builder> | null = null;
  return () => {
    opened ??= open(parts);
    return opened;
  };
}

async function open(parts: LazyBuilderParts): Promise<Builder> {
  const { openBuilder } = await import('./builder.ts');
  const { defaultCacheLimit } = await import('./cache/cache-keeper.ts');
  const cacheLimitBytes = parts.cacheLimitBytes ?? defaultCacheLimit(parts.paths.dataRoot);
  return openBuilder({ ...parts, cacheLimitBytes, findImage: imageFinder(parts) });
}

/** An image that is here and of the platform, or else the registry's. */
function imageFinder({ images, registry }: LazyBuilderParts): BuilderParts['findImage'] {
  return async (reference, { platform, always, supply, onProgress = () => {} }) => {
    const here = findHere(images, reference);
    if (here && !always && matchesPlatform(here.config, platform)) return here;
    const isId = isDigest(reference) || (here && !images.byReference(parseReference(reference)));
    if (here && isId) return here;
    const name = withDefaultTag(parseReference(reference));
    const credentials = await supply.registryAuth(name.domain);
    const pulled = await (await registry()).pull(name, {
      platform,
      takesAny: true,
      // A build for elsewhere takes no name from what runs here.
      leavesName: !matchesPlatform(platform, hostPlatform),
      signal: supply.signal,
      onProgress,
      ...(credentials && { credentials }),
    });
    return pulled.image;
  };
}

function findHere(images: BuilderParts['images'], reference: string): Image | undefined {
  try {
    return images.resolve(reference);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
