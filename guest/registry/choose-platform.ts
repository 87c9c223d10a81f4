import { NotFound } from '../errors.ts';
import { formatPlatform, hostPlatform, matchesPlatform, type Platform } from '../images/platform.ts';
import type { RemoteIndex } from './documents.ts';

export type IndexEntry = RemoteIndex['manifests'][number];

/** Of the images in an index, the one to run: for the platform asked for, or this computer. Throws NotFound. */
export function choosePlatform({ manifests }: RemoteIndex, wanted: Platform = hostPlatform): IndexEntry {
  const images = manifests.filter((entry) => !isAbout(entry));
  const fitting = images.filter((entry) => entry.platform && matchesPlatform(entry.platform, wanted));
  const chosen =
    // Without a variant the plain one, if there is one.
    fitting.find(({ platform }) => (platform?.variant ?? '') === (wanted.variant ?? '')) ??
    fitting[0] ??
    // Tools that make images for one platform leave it out.
    images.find(({ platform }) => !platform);
  if (!chosen)
    throw new NotFound(`no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`);
  return chosen;
}

/** Not an image to run: BuildKit's attestations, and what refers to another manifest. */
export function isAbout({ annotations, platform }: IndexEntry): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined || platform?.os === 'unknown';
}
