import { join } from 'node:path';

/**
 * Every file of the cache, in one place.
 *
 * ```
 * <cache>/downloads/<sha256>        verified downloads; `.part` while under way (kept for resuming)
 * <cache>/os-images/<sha256>/       one OS image, named by the digest of its inputs
 *   vmlinuz  initramfs  root.erofs  what QEMU is given
 *   vmlinux                         the kernel unpacked, where QEMU can start it so
 *   busybox.tar                     the first container image; goes into the agent's image
 *   agent-<sha256>.erofs            agent images made for it, named by the digest of their inputs
 *   manifest.json                   written last: a directory without it is a build that never ended
 * <cache>/build-*                   work of a running build
 * <cache>/build.lock                held by a running build
 * ```
 */
export function cachePaths(cacheDirectory: string) {
  const images = join(cacheDirectory, 'os-images');
  const downloads = join(cacheDirectory, 'downloads');
  return {
    images,
    downloads,
    buildPrefix: join(cacheDirectory, 'build-'),
    lock: join(cacheDirectory, 'build.lock'),
    download: (sha256: string) => join(downloads, sha256),
    image: (hex: string) => imagePaths(join(images, hex)),
  };
}

export function imagePaths(directory: string) {
  return {
    directory,
    kernel: join(directory, 'vmlinuz'),
    unpackedKernel: join(directory, 'vmlinux'),
    initramfs: join(directory, 'initramfs'),
    root: join(directory, 'root.erofs'),
    busyboxImage: join(directory, 'busybox.tar'),
    manifest: join(directory, 'manifest.json'),
    agent: (hex: string) => join(directory, `agent-${hex}.erofs`),
  };
}

export type ImagePaths = ReturnType<typeof imagePaths>;
