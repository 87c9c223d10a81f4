import type { FileTree } from '../tree/file-tree.ts';

/** Would pretend to be a package manager that the image does not have. */
const unwanted = new Set(['busybox', 'dpkg', 'dpkg-deb', 'rpm', 'rpm2cpio']);
/** Where the kernel and init conventions look for them. */
const inSbin = new Set([
  'init',
  'modprobe',
  'poweroff',
  'reboot',
  'halt',
  'getty',
  'nologin',
  'udhcpc',
  'switch_root',
]);

/** A link for every applet that no package's program stands for. */
export function linkApplets(tree: FileTree, applets: readonly string[]): void {
  for (const name of applets) {
    const taken = ['/usr/bin', '/usr/sbin'].some((directory) =>
      tree.get(`${directory}/${name}`, { follow: false }),
    );
    if (taken || unwanted.has(name)) continue;
    if (inSbin.has(name)) tree.symlink(`/usr/sbin/${name}`, '../bin/busybox');
    else tree.symlink(`/usr/bin/${name}`, 'busybox');
  }
}
