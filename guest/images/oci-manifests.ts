import { InvalidParameter } from '../errors.ts';
import { type ArchiveDescriptor, ociDocument, parseDocument } from './archive-documents.ts';
import type { ArchiveContents } from './archive-reader.ts';
import { hostPlatform, matchesPlatform, type Platform } from './platform.ts';

/** Where in an OCI image layout the manifest of an image is, and the names that the layout gives it. */
export interface ManifestPlace {
  readonly path: string;
  readonly names: readonly string[];
}

/** Indexes in indexes in indexes: real ones have two. */
const maxDepth = 8;

/**
 * The images of an OCI layout (image spec, image-layout.md and image-index.md), each for one platform.
 *
 * Manifests of `index.json` with the same name are one image for several platforms, and so are all of a
 * nested index; what is not in the archive (`docker save` lists platforms that were never pulled) and what
 * describes another manifest (attestations, signatures) is no choice. Throws InvalidParameter.
 */
export function ociManifests(archive: ArchiveContents, platform: Platform | undefined): ManifestPlace[] {
  const groups = new Map<string, { names: Set<string>; choices: Choice[] }>();
  for (const descriptor of manifestsIn(archive, 'index.json')) {
    const name = nameOf(descriptor);
    // Several names of one image are several descriptors; without a name, each is an image of its own.
    const key = name ?? (descriptor.platform ? '' : descriptor.digest);
    const group = groups.get(key) ?? { names: new Set(), choices: [] };
    if (name !== undefined) group.names.add(name);
    group.choices.push(...choicesOf(archive, descriptor, { depth: 1, seen: new Set() }));
    groups.set(key, group);
  }
  const places = new Map<string, Set<string>>();
  for (const { names, choices } of groups.values()) {
    const path = choose(choices, platform);
    if (path !== undefined) places.set(path, new Set([...(places.get(path) ?? []), ...names]));
  }
  return [...places].map(([path, names]) => ({ path, names: [...names] }));
}

interface Choice {
  readonly path: string;
  readonly platform: Platform | undefined;
}

/** An explicit wish rules others out; without one, this computer's platform or else the first. */
function choose(choices: readonly Choice[], platform: Platform | undefined): string | undefined {
  const fits = (wanted: Platform) =>
    choices.find(({ platform: its }) => !its || matchesPlatform(its, wanted))?.path;
  return platform ? fits(platform) : (fits(hostPlatform) ?? choices[0]?.path);
}

/** @param seen each index once: indexes that name each other over and over must not multiply */
function choicesOf(
  archive: ArchiveContents,
  descriptor: ArchiveDescriptor,
  { depth, seen }: { readonly depth: number; readonly seen: Set<string> },
): Choice[] {
  const path = `blobs/${descriptor.digest.replace(':', '/')}`;
  if (isAbout(descriptor) || seen.has(path) || !archive.document(path)) return [];
  if (depth > maxDepth) throw new InvalidParameter('invalid image archive: too many nested indexes');
  seen.add(path);
  const nested = manifestsIn(archive, path);
  if (nested.length === 0) return [{ path, platform: descriptor.platform ?? undefined }];
  return nested.flatMap((item) => choicesOf(archive, item, { depth: depth + 1, seen }));
}

function manifestsIn(archive: ArchiveContents, path: string): readonly ArchiveDescriptor[] {
  const document = archive.document(path);
  if (!document)
    throw new InvalidParameter('invalid image archive: it has neither manifest.json nor index.json');
  return parseDocument(path, document, ociDocument).manifests ?? [];
}

/** Not an image to run: BuildKit's attestations, and what refers to another manifest. */
function isAbout({ annotations, platform }: ArchiveDescriptor): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined || platform?.os === 'unknown';
}

/** containerd writes the whole name; the OCI annotation is a tag for some tools and a name for others. */
function nameOf({ annotations }: ArchiveDescriptor): string | undefined {
  const whole = annotations?.['io.containerd.image.name'];
  const ref = annotations?.['org.opencontainers.image.ref.name'];
  return whole ?? (ref?.includes(':') ? ref : undefined);
}
