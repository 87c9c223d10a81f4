import { existsSync } from 'node:fs';
import { ensureAgentImage } from './agent-image.ts';
import { buildImage } from './build-image.ts';
import { listOsImages } from './cached-images.ts';
import { type OutsideWorld, resolvePackages } from './fetch-inputs.ts';
import { hexOf, imageDigest, readBootFiles, recipeDigest } from './inputs-digest.ts';
import { acquireLock } from './lock.ts';
import { readManifest } from './manifest.ts';
import type { Architecture, EnsureOsImageOptions, OsImage } from './os-image.ts';
import { cachePaths, type ImagePaths } from './paths.ts';
import { commandLine } from './recipe.ts';

/**
 * The OS image for an architecture, with the extras asked for, built when it is not in the cache.
 *
 * When an image of today's recipe is cached, the newest such one is used and the network is not touched: a
 * machine can be made without it, and does not change under the user's hands. `refresh` asks the archive and
 * builds anew when a package has changed. Concurrent calls, also of other processes, build once.
 *
 * Throws Untrusted when anything fetched does not verify, Unavailable when it cannot be fetched,
 * FailedPrecondition when no archive is known.
 */
export async function ensureOsImage(
  options: EnsureOsImageOptions,
  outside: OutsideWorld = {},
): Promise<OsImage> {
  const {
    arch,
    extras = [],
    cacheDirectory,
    agentDirectory,
    bootDirectory,
    refresh = false,
    signal,
  } = options;
  const boot = await readBootFiles(bootDirectory);
  const recipe = await recipeDigest(arch, extras, boot);
  const paths = cachePaths(cacheDirectory);
  let files = refresh ? null : await newestOf(cacheDirectory, arch, recipe);
  if (files === null) {
    await using _lock = await acquireLock(paths.lock, signal);
    files = refresh ? null : await newestOf(cacheDirectory, arch, recipe);
    if (files === null) {
      const inputs = await resolvePackages({ ...options, paths, outside });
      files = paths.image(hexOf(imageDigest(recipe, inputs)));
      if (!(await isComplete(files))) await buildImage(inputs, { ...options, paths, recipe, boot, outside });
    }
  }
  const manifest = await readManifest(files.manifest);
  return {
    arch,
    digest: manifest.digest,
    manifest,
    kernel: files.kernel,
    unpackedKernel: existsSync(files.unpackedKernel) ? files.unpackedKernel : null,
    initramfs: files.initramfs,
    root: files.root,
    agent: await ensureAgentImage(files, agentDirectory, signal),
    commandLine,
  };
}

async function newestOf(
  cacheDirectory: string,
  arch: Architecture,
  recipe: string,
): Promise<ImagePaths | null> {
  const paths = cachePaths(cacheDirectory);
  for (const { digest, broken } of await listOsImages({ cacheDirectory })) {
    if (broken !== null) continue;
    const files = paths.image(hexOf(digest));
    const manifest = await readManifest(files.manifest);
    if (manifest.arch === arch && manifest.recipe === recipe) return files;
  }
  return null;
}

async function isComplete(files: ImagePaths): Promise<boolean> {
  return readManifest(files.manifest).then(
    () => true,
    () => false,
  );
}
