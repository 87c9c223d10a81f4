import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { tarOf } from '../../images/archive/tar-writer.ts';
import { FileTree } from '../../images/tree/file-tree.ts';
import { debianTools } from '../compat/debian-tools.ts';

const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const libraries = join('/usr/lib', triplet);
const needed = /^(ld-linux-.*|lib(c|m|pcre2-8|readline|sqlite3|tinfo|z)\.so\..*)$/;
const loader = process.arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2';

/**
 * A tar for `docker import`, and for a guest to unpack: Debian’s static busybox as its applets, git with what it
 * runs of itself, SQLite’s shell, flock and their libraries. 11 MB. Throws when it cannot be had.
 */
export async function gitTools(): Promise<Buffer> {
  const [git, busybox] = await Promise.all([debianTools('git'), debianTools('busybox')]);
  const tree = new FileTree();
  const copy = async (root: string, path: string) => tree.file(path, await readFile(join(root, path)), 0o755);
  await copy(busybox, '/usr/bin/busybox');
  tree.symlink('/bin', 'usr/bin');
  for (const applet of applets) tree.symlink(`/usr/bin/${applet}`, 'busybox');
  for (const program of ['flock', 'git', 'sqlite3']) await copy(git, `/usr/bin/${program}`);
  for (const name of ['git-upload-pack', 'git-receive-pack']) tree.symlink(`/usr/bin/${name}`, 'git');
  for (const name of await readdir(join(git, libraries))) {
    if (!needed.test(name)) continue;
    const target = await readlink(join(git, libraries, name)).catch(() => null);
    if (target === null) await copy(git, join(libraries, name));
    else tree.symlink(join(libraries, name), target);
  }
  tree.symlink(loader, join(libraries, loader.split('/').at(-1)!));
  tree.directory('/tmp', 0o1777);
  return await tarOf(tree, 0);
}

const applets = [
  ...['awk', 'cat', 'chmod', 'cmp', 'cp', 'cut', 'date', 'dd', 'find', 'grep', 'head', 'ln', 'ls'],
  ...['md5sum', 'mkdir', 'mv', 'rm', 'rmdir', 'sed', 'seq', 'sh', 'sleep', 'sort', 'stat', 'sync', 'tail'],
  ...['tar', 'test', 'touch', 'tr', 'true', 'truncate', 'uniq', 'wc', 'xargs'],
];
