import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgument, NotFound } from '../drivers/errors.ts';
import { readManifest } from './manifest.ts';
import type { Manifest, OsImageSummary } from './os-image.ts';
import { cachePaths, type ImagePaths } from './paths.ts';
import { sizeOf } from './size-of.ts';

export interface CachedImages {
  readonly cacheDirectory: string;
}

/** Newest first. An image whose manifest cannot be read is listed as broken, never hidden. */
export async function listOsImages({ cacheDirectory }: CachedImages): Promise<OsImageSummary[]> {
  const paths = cachePaths(cacheDirectory);
  const found = await Promise.all((await names(paths.images)).map((hex) => summary(paths.image(hex), hex)));
  return found.sort((a, b) => b.builtAt.getTime() - a.builtAt.getTime() || (a.digest < b.digest ? -1 : 1));
}

/** `digest` may be shortened to a unique prefix, with or without `sha256:`. Throws NotFound, InvalidArgument. */
export async function inspectOsImage({
  cacheDirectory,
  digest,
}: CachedImages & { readonly digest: string }): Promise<{ manifest: Manifest; files: ImagePaths }> {
  const files = await find(cacheDirectory, digest);
  return { manifest: await readManifest(files.manifest), files };
}

/**
 * Removes the image's files, and with the last image what was downloaded to build them. Machines that boot it
 * must not be running. Throws NotFound, InvalidArgument.
 */
export async function removeOsImage({
  cacheDirectory,
  digest,
}: CachedImages & { readonly digest: string }): Promise<void> {
  const files = await find(cacheDirectory, digest);
  // The manifest goes first, so that an interrupted removal leaves nothing that looks complete.
  await rm(files.manifest, { force: true });
  await rm(files.directory, { recursive: true, force: true });
  const { images, downloads } = cachePaths(cacheDirectory);
  if ((await names(images)).length === 0) await rm(downloads, { recursive: true, force: true });
}

async function find(cacheDirectory: string, digest: string): Promise<ImagePaths> {
  const wanted = digest.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{4,64}$/.test(wanted))
    throw new InvalidArgument(`"${digest}" is not a digest; machine image ls shows them`);
  const paths = cachePaths(cacheDirectory);
  const matching = (await names(paths.images)).filter((hex) => hex.startsWith(wanted));
  if (matching.length === 0) throw new NotFound(`no OS image "${digest}"; machine image ls lists them`);
  if (matching.length > 1)
    throw new InvalidArgument(`"${digest}" fits ${matching.length} OS images; type more`);
  return paths.image(matching[0]!);
}

async function names(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function summary(files: ImagePaths, hex: string): Promise<OsImageSummary> {
  const about = { digest: `sha256:${hex}`, sizeBytes: await totalSize(files.directory) };
  try {
    const manifest = await readManifest(files.manifest);
    const builtAt = (await stat(files.manifest)).mtime;
    const { arch, kernelRelease, extras = [] } = manifest;
    return { ...about, arch, builtAt, kernelRelease, extras, broken: null };
  } catch (error) {
    const builtAt = (await stat(files.directory)).mtime;
    const broken = `manifest.json cannot be used: ${(error as Error).message.split('\n')[0]}`;
    return { ...about, arch: null, builtAt, kernelRelease: null, extras: [], broken };
  }
}

/** Other processes add to the directory and rename what they added meanwhile: what is gone by now counts nothing. */
async function totalSize(directory: string): Promise<number> {
  const sizes = (await readdir(directory)).map((name) => sizeOf(join(directory, name)));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
