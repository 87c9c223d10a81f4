import { createReadStream, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { collect } from '../../../images/archive/collect.ts';
import { readTar, type TarEntry } from '../../../images/archive/tar-reader.ts';
import { tarOf } from '../../../images/archive/tar-writer.ts';
import { FileTree } from '../../../images/tree/file-tree.ts';
import { lacks, outputOf } from '../support/programs.ts';

async function entriesOf(source: AsyncIterable<Uint8Array>): Promise<(TarEntry & { text: string })[]> {
  const entries: (TarEntry & { text: string })[] = [];
  for await (const entry of readTar(source))
    entries.push({ ...entry, text: (await collect(entry.body)).toString() });
  return entries;
}

/** In pieces that fall on no boundary. */
async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 333) yield bytes.subarray(at, at + 333);
}

const tree = new FileTree();
tree.directory('/tmp', 0o1777);
tree.file('/bin/tool', 'contents', 0o4755);
tree.file('/empty', '');
tree.link('/bin/same', '/bin/tool');
tree.symlink('/link', 'bin/tool');
tree.device('/null', 'character', 1, 3, 0o666);

t.test('what is written is read back', async (t) => {
  const entries = await entriesOf(pieces(await tarOf(tree, 1000)));
  t.strictSame(
    entries.map(({ name, type, mode, text, linkName, mtime }) => [name, type, mode, text || linkName, mtime]),
    [
      ['bin/', 'directory', 0o755, '', 1000],
      ['bin/same', 'file', 0o4755, 'contents', 1000],
      ['bin/tool', 'link', 0o4755, 'bin/same', 1000],
      ['empty', 'file', 0o644, '', 1000],
      ['link', 'symlink', 0o777, 'bin/tool', 1000],
      ['null', 'character', 0o666, '', 1000],
      ['tmp/', 'directory', 0o1777, '', 1000],
    ],
  );
});

t.test('GNU tar lists what is written', { skip: lacks('tar') }, async (t) => {
  const listing = outputOf('tar', ['-tvf', '-'], await tarOf(tree, 1000));
  t.match(listing, /^-rwsr-xr-x 0\/0 +8 .* bin\/same$/m);
  t.match(listing, /bin\/tool link to bin\/same$/m);
  t.match(listing, /^crw-rw-rw- 0\/0 +1,3 .* null$/m);
});

for (const format of ['gnu', 'pax', 'ustar', 'v7']) {
  t.test(`an archive that GNU tar wrote in ${format} format is read`, { skip: lacks('tar') }, async (t) => {
    const root = t.testdir({ in: { 'a.txt': 'A'.repeat(1000) } });
    const long =
      format === 'v7'
        ? 'short'
        : format === 'ustar'
          ? `${'d'.repeat(90)}/${'n'.repeat(90)}`
          : `${'d'.repeat(120)}/ünïcödé-${'n'.repeat(120)}`;
    mkdirSync(join(root, 'in', long, '..'), { recursive: true });
    writeFileSync(join(root, 'in', long), 'long');
    symlinkSync(
      format === 'gnu' || format === 'pax' ? `/${'t'.repeat(150)}` : 'a.txt',
      join(root, 'in', 'z'),
    );
    outputOf('tar', ['-C', join(root, 'in'), `--format=${format}`, '-cf', join(root, 'x.tar'), '.']);
    const entries = await entriesOf(createReadStream(join(root, 'x.tar')));
    t.equal(entries.find(({ name }) => name === './a.txt')?.text, 'A'.repeat(1000));
    t.equal(entries.find(({ name }) => name === `./${long}`)?.text, 'long');
    t.match(entries.find(({ name }) => name === './z')?.linkName, /^\/t{150}$|^a\.txt$/);
  });
}

t.test('bodies that are not read are skipped', async (t) => {
  const names: string[] = [];
  for await (const { name } of readTar(pieces(await tarOf(tree, 0)))) names.push(name);
  t.equal(names.length, 7);
});

t.test('a cut or damaged archive is an error', async (t) => {
  const bytes = await tarOf(tree, 0);
  await t.rejects(entriesOf(pieces(bytes.subarray(0, 1300))), { message: 'unexpected end of data' });
  const damaged = Buffer.from(bytes);
  damaged[0]! ^= 1;
  await t.rejects(entriesOf(Readable.from([damaged])), { message: /wrong checksum/ });
});
