import { existsSync } from 'node:fs';
import { isDigest } from '../digest.ts';
import { NotFound } from '../errors.ts';
import type { Image } from '../images/image.ts';
import { hostPlatform, matchesPlatform } from '../images/platform.ts';
import { parseReference, withDefaultTag } from '../reference.ts';
import type { Registry } from '../registry/index.ts';
import type { Builder } from './build.ts';
import type { BuilderParts, ImageWish } from './parts.ts';

export interface LazyBuilderParts extends Omit<BuilderParts, 'findImage' | 'findConfig' | 'cacheLimitBytes'> {
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
  return openBuilder({
    ...parts,
    cacheLimitBytes,
    findImage: imageFinder(parts),
    findConfig: configFinder(parts),
  });
}

/** An image that is here and of the platform, or else the registry's. */
function imageFinder({ images, registry }: LazyBuilderParts): BuilderParts['findImage'] {
  return async (reference, { onProgress = () => {}, ...wish }) => {
    const here = usable(images, reference, wish);
    if (here) return here;
    const { name, ...options } = await wishOf(reference, wish);
    const pulled = await (await registry()).pull(name, {
      ...options,
      takesAny: true,
      // A build for elsewhere takes no name from what runs here.
      leavesName: !matchesPlatform(wish.platform, hostPlatform),
      onProgress,
    });
    return pulled.image;
  };
}

function configFinder({ images, registry }: LazyBuilderParts): BuilderParts['findConfig'] {
  return async (reference, wish) => {
    const here = usable(images, reference, wish);
    if (here) return here.config;
    const { name, ...options } = await wishOf(reference, wish);
    return (await registry()).config(name, options);
  };
}

/** Of an id, whichever platform it is for: it can be had nowhere else. */
function usable(
  images: BuilderParts['images'],
  reference: string,
  { platform, always }: ImageWish,
): Image | undefined {
  const here = findHere(images, reference);
  if (here && !always && matchesPlatform(here.config, platform)) return here;
  const isId = isDigest(reference) || (here && !images.byReference(parseReference(reference)));
  return isId ? here : undefined;
}

async function wishOf(reference: string, { platform, supply }: ImageWish) {
  const name = withDefaultTag(parseReference(reference));
  const credentials = await supply.registryAuth(name.domain);
  return { name, platform, signal: supply.signal, ...(credentials && { credentials }) };
}

function findHere(images: BuilderParts['images'], reference: string): Image | undefined {
  try {
    return images.resolve(reference);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
