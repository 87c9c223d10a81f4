import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tarOf } from '../../images/archive/tar-writer.ts';
import type { Architecture } from '../../images/os-image.ts';
import { FileTree } from '../../images/tree/file-tree.ts';
import { debianTools } from '../compat/debian-tools.ts';

const applets = ['sh', 'uname', 'cat', 'true'];

/** A tar for `docker import`: Debian's static busybox of that architecture. Throws when it cannot be had. */
export async function foreignBusybox(arch: Architecture): Promise<Buffer> {
  const tree = new FileTree();
  const program = join(await debianTools('busybox', arch), 'usr', 'bin', 'busybox');
  tree.file('/bin/busybox', await readFile(program), 0o755);
  for (const applet of applets) tree.symlink(`/bin/${applet}`, 'busybox');
  return tarOf(tree, 0);
}
