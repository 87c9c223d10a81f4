import { Readable } from 'node:stream';
import t from 'tap';
import { readTar } from '../../../images/archive/tar-reader.ts';
import { tarOf } from '../../../images/archive/tar-writer.ts';
import { addFiles, Staging } from '../../../images/root/add-package.ts';
import { busyboxApplets } from '../../../images/root/busybox-applets.ts';
import { linkApplets } from '../../../images/root/busybox-links.ts';
import { bundleCertificates, caBundle } from '../../../images/root/ca-bundle.ts';
import { missingLibraries } from '../../../images/root/check-libraries.ts';
import { licencesOf } from '../../../images/root/licences.ts';
import { readAll } from '../../../images/tree/content.ts';
import { FileTree } from '../../../images/tree/file-tree.ts';
import { fakeProgram } from '../support/fake-module.ts';

t.test('files of a package go into the tree, large ones to the staging directory', async (t) => {
  const source = new FileTree();
  source.file('/usr/bin/small', 'small', 0o755);
  source.file('/usr/bin/large', Buffer.alloc(100_000, 'L'));
  source.link('/usr/bin/linked', '/usr/bin/large');
  source.file('/usr/share/man/x', 'text');
  source.directory('/var/secret', 0o700);
  const tree = new FileTree();
  const files = readTar(Readable.from([await tarOf(source, 0)]));
  const keep = (path: string) => !path.startsWith('/usr/share/man/');
  await addFiles({ tree, files, staging: new Staging(t.testdir()), keep });
  const paths = [...tree.entries()].filter(({ node }) => node.kind === 'file').map(({ path }) => path);
  t.strictSame(paths, ['/usr/bin/large', '/usr/bin/linked', '/usr/bin/small']);
  t.equal(tree.get('/var/secret')?.mode, 0o700);
  const large = tree.get('/usr/bin/linked');
  t.ok(large?.kind === 'file' && 'path' in large.content);
  t.equal(large?.kind === 'file' ? (await readAll(large.content)).toString() : '', 'L'.repeat(100_000));
});

const table = Buffer.from('\x7fELF junk [\0[[\0ash\0init\0ls\0modprobe\0rpm\0sh\0tar\0wget\0\x01\x02');

t.test('the applets of busybox are read from its own table', async (t) => {
  t.strictSame(busyboxApplets(table), [
    '[',
    '[[',
    'ash',
    'init',
    'ls',
    'modprobe',
    'rpm',
    'sh',
    'tar',
    'wget',
  ]);
  t.throws(() => busyboxApplets(Buffer.from('something else')), { message: /no table of applets/ });
});

t.test('an applet stands in only for what no package brings', async (t) => {
  const tree = new FileTree();
  tree.file('/usr/bin/tar', 'GNU tar', 0o755);
  linkApplets(tree, busyboxApplets(table));
  t.equal(tree.get('/usr/bin/tar')?.kind, 'file');
  t.match(tree.get('/usr/bin/ls', { follow: false }), { target: 'busybox' });
  t.match(tree.get('/usr/sbin/init', { follow: false }), { target: '../bin/busybox' });
  t.equal(tree.get('/usr/bin/rpm', { follow: false }), undefined);
});

t.test('a library that nothing brings is found', async (t) => {
  const tree = new FileTree();
  tree.file('/usr/bin/a', fakeProgram(['libhere.so.1', 'libgone.so.2']), 0o755);
  tree.file('/usr/lib/libhere.so.1', fakeProgram([]));
  t.strictSame(await missingLibraries(tree), [{ path: '/usr/bin/a', library: 'libgone.so.2' }]);
});

t.test('certificates become one file', async (t) => {
  const tree = new FileTree();
  tree.file('/usr/share/ca-certificates/mozilla/B.crt', 'second\n');
  tree.file('/usr/share/ca-certificates/mozilla/A.crt', 'first\n\n');
  await bundleCertificates(tree);
  const bundle = tree.get(caBundle);
  t.equal(bundle?.kind === 'file' ? (await readAll(bundle.content)).toString() : '', 'first\nsecond\n');
  t.equal(tree.get('/usr/share/ca-certificates'), undefined);
});

t.test('licences are read from a machine-readable copyright file only', async (t) => {
  const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';
  t.strictSame(
    licencesOf(`${format}\nFiles: *\nLicense: MIT\n text\n\nFiles: x\nLicense: GPL-2+\n\nLicense: MIT\n`),
    ['GPL-2+', 'MIT'],
  );
  t.equal(licencesOf('This package was made by...\n'), null);
});
