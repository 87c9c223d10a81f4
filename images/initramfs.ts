import { cpioOf } from './archive/cpio.ts';
import { addOverlay, type OverlayFile } from './boot-files.ts';
import type { KernelPackage } from './kernel/kernel-package.ts';
import { selectModules } from './kernel/select-modules.ts';
import { imageTime, initramfsModules } from './recipe.ts';
import { FileTree } from './tree/file-tree.ts';

export interface InitramfsParts {
  readonly kernel: KernelPackage;
  readonly busybox: Buffer;
  /** `initramfs/` of the boot files; brings `/init`. */
  readonly boot: readonly OverlayFile[];
}

/**
 * The initramfs: busybox, the few modules that mounting the root takes, and the boot files, which agree with
 * this on the names: `/busybox`, and `/modules/NN-name.ko` to be loaded in the order of their names. It is
 * not compressed.
 */
export async function makeInitramfs({ kernel, busybox, boot }: InitramfsParts): Promise<Buffer> {
  const tree = new FileTree();
  for (const name of ['dev', 'lower', 'proc', 'root', 'sys', 'upper']) tree.directory(`/${name}`);
  // The kernel opens it for init before anything is mounted.
  tree.device('/dev/console', 'character', 5, 1);
  tree.file('/busybox', busybox, 0o755);
  for (const [index, { name, bytes }] of (await selectModules(kernel, initramfsModules)).entries())
    tree.file(`/modules/${String(index).padStart(2, '0')}-${name}.ko`, bytes);
  addOverlay(tree, boot);
  return cpioOf(tree, imageTime);
}
