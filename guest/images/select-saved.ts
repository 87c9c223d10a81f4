import type { Digest } from '../digest.ts';
import { NotFound } from '../errors.ts';
import { formatReference, parseReference, type Reference } from '../reference.ts';
import type { Image } from './image.ts';
import type { ImageStore } from './image-store.ts';
import { type Platform, requirePlatform } from './platform.ts';

/** One image with the names under which it goes into an archive. */
export interface Saved {
  readonly image: Image;
  readonly names: readonly Reference[];
}

/**
 * What the words of a `docker save` mean: a name stands for itself, a repository for all its tags, an id for
 * the image without names. Throws NotFound, also for an image of another platform than the one asked for.
 */
export function selectSaved(images: ImageStore, words: readonly string[], platform?: Platform): Saved[] {
  const saved = new Map<Digest, { image: Image; names: Map<string, Reference> }>();
  for (const word of words) {
    for (const { image, name } of meaningOf(images, word)) {
      requirePlatform(image.config, platform, word);
      const item = saved.get(image.id) ?? { image, names: new Map() };
      if (name) item.names.set(formatReference(name), name);
      saved.set(image.id, item);
    }
  }
  return [...saved.values()].map(({ image, names }) => ({ image, names: [...names.values()] }));
}

function meaningOf(images: ImageStore, word: string): { image: Image; name?: Reference }[] {
  if (!/^(?:sha256:)?[0-9a-f]{64}$/.test(word)) {
    const name = parseReference(word);
    const named = images.byReference(name);
    if (name.tag !== undefined && named) return [{ image: named, name }];
    if (name.tag === undefined && name.digest === undefined) {
      const tags = images.tagsOf(name);
      if (tags.length > 0) return tags.map((tag) => ({ image: images.byReference(tag)!, name: tag }));
    }
  }
  // Not as elsewhere with a tag that nobody said.
  if (!images.has(word)) throw new NotFound(`No such image: ${word}`);
  return [{ image: images.resolve(word) }];
}
