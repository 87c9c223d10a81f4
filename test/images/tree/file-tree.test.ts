import t from 'tap';
import { FileTree } from '../../../images/tree/file-tree.ts';

const paths = (tree: FileTree) => [...tree.entries()].map(({ path }) => path);

t.test('a package that still says /lib lands in /usr/lib of a merged tree', async (t) => {
  const tree = new FileTree();
  tree.directory('/usr/lib');
  tree.symlink('/lib', 'usr/lib');
  tree.file('/lib/x/y', 'text');
  tree.directory('/lib');
  t.strictSame(paths(tree), ['/lib', '/usr', '/usr/lib', '/usr/lib/x', '/usr/lib/x/y']);
  t.equal(tree.get('/lib', { follow: false })?.kind, 'symlink');
  t.equal(tree.get('/lib/x/y')?.kind, 'file');
});

t.test('names that lead out of the tree stay in it', async (t) => {
  const tree = new FileTree();
  tree.symlink('/out', '../../../..');
  tree.file('/out/../../a', 'text');
  tree.file('../b', 'text');
  tree.file('/out/c', 'text');
  t.strictSame(paths(tree), ['/a', '/b', '/c', '/out']);
});

t.test('symbolic links in a circle are an error', async (t) => {
  const tree = new FileTree();
  tree.symlink('/a', 'b');
  tree.symlink('/b', 'a');
  t.throws(() => tree.file('/a/x', ''), { message: /too many symbolic links/ });
});

t.test('a directory that comes again keeps its children and takes the new mode', async (t) => {
  const tree = new FileTree();
  tree.file('/d/x', '');
  tree.directory('/d', 0o700);
  t.strictSame(paths(tree), ['/d', '/d/x']);
  t.equal(tree.get('/d')?.mode, 0o700);
});

t.test('names are in byte order, not in that of UTF-16', async (t) => {
  const tree = new FileTree();
  for (const name of ['\u{1f600}', '\uffee', 'é', 'z', '.', 'B'].filter((n) => n !== '.'))
    tree.file(`/${name}`, '');
  t.strictSame(paths(tree), ['/B', '/z', '/é', '/\uffee', '/\u{1f600}']);
});

t.test('a hard link is one node at two paths, and needs its target', async (t) => {
  const tree = new FileTree();
  tree.file('/a', 'text');
  tree.link('/b', '/a');
  t.equal(tree.get('/a'), tree.get('/b'));
  t.throws(() => tree.link('/c', '/missing'), { message: /"\/missing", which does not exist/ });
});
