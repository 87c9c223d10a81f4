import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeBusyboxImage } from './busybox-image.ts';
import { writeErofs } from './erofs/write-erofs.ts';
import { type BuildInputs, downloadInputs, type OutsideWorld } from './fetch-inputs.ts';
import { makeInitramfs } from './initramfs.ts';
import { type BootFiles, hexOf, imageDigest, inOrder } from './inputs-digest.ts';
import { readKernelPackage } from './kernel/kernel-package.ts';
import { unpackedKernel } from './kernel/unpacked-kernel.ts';
import { manifestText } from './manifest.ts';
import type { EnsureOsImageOptions, Manifest } from './os-image.ts';
import { type cachePaths, imagePaths } from './paths.ts';
import { codename, imageTime, nodeRuntime } from './recipe.ts';
import { Staging } from './root/add-package.ts';
import { packageLicences } from './root/licences.ts';
import { makeRootTree } from './root/root-tree.ts';

export interface BuildOptions
  extends Pick<EnsureOsImageOptions, 'arch' | 'extras' | 'mirrors' | 'signal' | 'onProgress'> {
  readonly paths: ReturnType<typeof cachePaths>;
  readonly recipe: string;
  readonly boot: BootFiles;
  readonly outside: OutsideWorld;
}

/**
 * Builds the OS image from resolved inputs and puts it into the cache under the digest of its inputs. The
 * build lock must be held. Leaves nothing behind when it fails but verified downloads.
 */
export async function buildImage(inputs: BuildInputs, options: BuildOptions): Promise<void> {
  const { paths, recipe, signal } = options;
  await removeLeftovers(paths.buildPrefix);
  await mkdir(paths.images, { recursive: true });
  await mkdir(paths.downloads, { recursive: true });
  const work = await mkdtemp(paths.buildPrefix);
  try {
    const nodeArchive = await downloadInputs(inputs, work, options);
    const made = imagePaths(join(work, 'image'));
    await mkdir(made.directory);
    await assemble(inputs, nodeArchive, work, made, options);
    signal?.throwIfAborted();
    const { directory } = paths.image(hexOf(imageDigest(recipe, inputs)));
    // One without a manifest may be in the way.
    await rm(directory, { recursive: true, force: true });
    await rename(made.directory, directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function assemble(
  inputs: BuildInputs,
  nodeArchive: string,
  work: string,
  made: ReturnType<typeof imagePaths>,
  { arch, extras = [], paths, recipe, boot, signal, onProgress }: BuildOptions,
): Promise<void> {
  const { packages, distributionVersion } = inputs;
  const progress = (
    phase: 'unpack' | 'assemble',
    item: string,
    doneBytes = 0,
    totalBytes: number | null = null,
  ) => onProgress?.({ phase, item, doneBytes, totalBytes });
  progress('unpack', inputs.kernel.name);
  const kernel = await readKernelPackage(paths.download(inputs.kernel.sha256));
  const staging = join(work, 'staging');
  await mkdir(staging);
  const { tree, busybox } = await makeRootTree({
    arch,
    extras,
    distributionVersion,
    packages: packages
      .filter(({ name }) => !name.startsWith('linux-image-'))
      .map(({ name, sha256 }) => ({ name, path: paths.download(sha256) })),
    kernel,
    nodeArchive,
    boot: boot.root,
    staging: new Staging(staging),
    signal,
    onPackage: (name) => progress('unpack', name),
  });
  const digest = imageDigest(recipe, inputs);
  const manifest: Manifest = {
    version: 1,
    arch,
    digest,
    recipe,
    distribution: { codename, version: distributionVersion },
    kernelRelease: kernel.release,
    ...(extras.length > 0 && { extras: inOrder(extras) }),
    node: nodeRuntime[arch],
    packages: await Promise.all(
      packages.map(async ({ name, version, architecture, sha256 }) => ({
        name,
        version,
        architecture,
        sha256,
        ...(await packageLicences(tree, name)),
      })),
    ),
  };
  const text = manifestText(manifest);
  tree.file('/usr/share/machine/manifest.json', text);
  await writeFlushed(made.kernel, kernel.image);
  const unpacked = await unpackedKernel(kernel.image);
  if (unpacked !== null) await writeFlushed(made.unpackedKernel, unpacked);
  await writeFlushed(made.initramfs, await makeInitramfs({ kernel, busybox, boot: boot.initramfs }));
  await writeFlushed(made.busyboxImage, await makeBusyboxImage(arch, busybox));
  await writeErofs({
    tree,
    path: made.root,
    buildTime: imageTime,
    uuid: Buffer.from(hexOf(digest), 'hex').subarray(0, 16),
    ...(signal === undefined ? {} : { signal }),
    onBytes: (done, total) => progress('assemble', basename(made.root), done, total),
  });
  await writeFlushed(made.manifest, text);
}

async function writeFlushed(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Of builds that were killed: their lock is ours now. */
async function removeLeftovers(buildPrefix: string): Promise<void> {
  const directory = dirname(buildPrefix);
  const names = (await readdir(directory)).filter((name) => name.startsWith(basename(buildPrefix)));
  await Promise.all(
    names
      .filter((name) => name !== 'build.lock')
      .map((name) => rm(join(directory, name), { recursive: true, force: true })),
  );
}
