import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { tarOf } from './archive/tar-writer.ts';
import { type OverlayFile, overlayFingerprint, readOverlay } from './boot-files.ts';
import type { BuildInputs } from './fetch-inputs.ts';
import type { Architecture, ImageExtra } from './os-image.ts';
import * as recipe from './recipe.ts';
import { addSkeleton } from './root/skeleton.ts';
import { FileTree } from './tree/file-tree.ts';

export interface BootFiles {
  readonly initramfs: readonly OverlayFile[];
  readonly root: readonly OverlayFile[];
}

export async function readBootFiles(bootDirectory: string): Promise<BootFiles> {
  const [initramfs, root] = await Promise.all(
    ['initramfs', 'root'].map((name) => readOverlay(join(bootDirectory, name))),
  );
  return { initramfs: initramfs!, root: root! };
}

/** Digest of how an image is made; of all inputs but the versions of the packages. */
export async function recipeDigest(
  arch: Architecture,
  extras: readonly ImageExtra[],
  boot: BootFiles,
): Promise<string> {
  const skeleton = new FileTree();
  addSkeleton(skeleton, '0');
  return digestOf([
    recipe.recipeVersion,
    createHash('sha256')
      .update(await tarOf(skeleton, recipe.imageTime))
      .digest('hex'),
    recipe.codename,
    recipe.imageTime,
    recipe.kernelPackage[arch],
    recipe.wantedPackages,
    recipe.excludedPackages,
    Object.entries(recipe.keptPaths).map(([name, pattern]) => [name, pattern.source]),
    recipe.droppedPaths.map(({ source }) => source),
    recipe.initramfsModules,
    recipe.rootModules,
    recipe.nodeRuntime[arch],
    overlayFingerprint(boot.initramfs),
    overlayFingerprint(boot.root),
    ...inOrder(extras).map((extra) => {
      const { packages, keptPaths } = recipe.extras[extra][arch];
      return [extra, packages, Object.entries(keptPaths).map(([name, pattern]) => [name, pattern.source])];
    }),
  ]);
}

/** Digest of all inputs, which names the image. */
export function imageDigest(
  recipe: string,
  { distributionVersion, packages }: Pick<BuildInputs, 'distributionVersion' | 'packages'>,
): string {
  return digestOf([
    recipe,
    distributionVersion,
    packages.map(({ name, version, sha256 }) => [name, version, sha256]),
  ]);
}

/** The same for the same extras, however they were asked for. */
export function inOrder(extras: readonly ImageExtra[]): ImageExtra[] {
  return [...new Set(extras)].sort();
}

export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(value)).digest('hex')}`;
}

export function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}
