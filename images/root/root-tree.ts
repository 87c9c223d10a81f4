import { FailedPrecondition } from '../../drivers/errors.ts';
import { addOverlay, type OverlayFile } from '../boot-files.ts';
import { readDebFiles } from '../debian/deb.ts';
import type { KernelPackage } from '../kernel/kernel-package.ts';
import { moduleIndexes } from '../kernel/module-indexes.ts';
import { selectModules } from '../kernel/select-modules.ts';
import { readNodeBinary } from '../node-runtime.ts';
import type { Architecture, ImageExtra } from '../os-image.ts';
import { droppedPaths, extras as extraParts, keptPaths, rootModules } from '../recipe.ts';
import { readAll } from '../tree/content.ts';
import { FileTree } from '../tree/file-tree.ts';
import { addFiles, type Staging } from './add-package.ts';
import { busyboxApplets } from './busybox-applets.ts';
import { linkApplets } from './busybox-links.ts';
import { bundleCertificates } from './ca-bundle.ts';
import { missingLibraries } from './check-libraries.ts';
import { addSkeleton } from './skeleton.ts';

export interface RootParts {
  readonly arch: Architecture;
  readonly extras: readonly ImageExtra[];
  readonly distributionVersion: string;
  /** All but the kernel, in the order in which they are unpacked. */
  readonly packages: readonly { readonly name: string; readonly path: string }[];
  readonly kernel: KernelPackage;
  readonly nodeArchive: string;
  /** `root/` of the boot files. */
  readonly boot: readonly OverlayFile[];
  readonly staging: Staging;
  readonly signal?: AbortSignal | undefined;
  readonly onPackage?: (name: string) => void;
}

/** The guest's root file system, all but the manifest. Throws FailedPrecondition when a library is missing. */
export async function makeRootTree(parts: RootParts): Promise<{ tree: FileTree; busybox: Buffer }> {
  const { packages, kernel, staging, signal, onPackage } = parts;
  const keptOf = Object.assign(
    {},
    keptPaths,
    ...parts.extras.map((extra) => extraParts[extra][parts.arch].keptPaths),
  ) as typeof keptPaths;
  const tree = new FileTree();
  addSkeleton(tree, parts.distributionVersion);
  for (const { name, path } of packages) {
    onPackage?.(name);
    const kept = keptOf[name];
    const keep = (file: string) =>
      file.endsWith('/copyright') || (kept?.test(file) ?? true)
        ? !droppedPaths.some((dropped) => dropped.test(file))
        : false;
    await addFiles({ tree, files: readDebFiles(path), staging, keep, signal });
  }
  onPackage?.('node');
  for await (const { size, body } of readNodeBinary(parts.nodeArchive))
    tree.file('/usr/bin/node', await staging.keep({ size, body }), 0o755);
  await addKernel(tree, kernel);
  await bundleCertificates(tree);
  const busybox = await readBusybox(tree);
  linkApplets(tree, busyboxApplets(busybox));
  addOverlay(tree, parts.boot);
  const [missing] = await missingLibraries(tree);
  if (missing !== undefined)
    throw new FailedPrecondition(`the OS image would lack ${missing.library}, which ${missing.path} needs`);
  return { tree, busybox };
}

async function addKernel(tree: FileTree, kernel: KernelPackage): Promise<void> {
  const modules = await selectModules(kernel, rootModules);
  const directory = `/usr/lib/modules/${kernel.release}`;
  for (const { path, bytes } of modules) tree.file(`${directory}/${path}`, bytes);
  for (const [name, bytes] of kernel.indexes) tree.file(`${directory}/${name}`, bytes);
  for (const [name, text] of moduleIndexes(modules)) tree.file(`${directory}/${name}`, text);
  if (kernel.copyright !== null) tree.file('/usr/share/doc/linux-image/copyright', kernel.copyright);
}

async function readBusybox(tree: FileTree): Promise<Buffer> {
  const node = tree.get('/usr/bin/busybox');
  if (node?.kind !== 'file')
    throw new FailedPrecondition('the package busybox-static holds no /usr/bin/busybox');
  return readAll(node.content);
}
