import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cpioOf } from '../../../images/archive/cpio.ts';
import { FileTree } from '../../../images/tree/file-tree.ts';
import { lacks } from '../support/programs.ts';

const tree = new FileTree();
tree.file('/init', '#!/bin/sh\n', 0o755);
tree.file('/modules/a.ko', Buffer.alloc(70001, 'm'));
tree.symlink('/sh', 'busybox');
tree.device('/dev/console', 'character', 5, 1);

t.test('a newc archive has the fields where the kernel looks for them', async (t) => {
  const bytes = await cpioOf(tree, 7);
  t.equal(bytes.toString('latin1', 0, 6), '070701');
  t.equal(bytes.length % 4, 0);
  t.match(bytes.toString('latin1'), /TRAILER!!!\0/);
  const at = bytes.indexOf('dev/console\0') - 110;
  const field = (index: number) =>
    Number.parseInt(bytes.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
  t.strictSame(
    { mode: field(1), mtime: field(5), major: field(9), minor: field(10) },
    { mode: 0o020600, mtime: 7, major: 5, minor: 1 },
  );
});

t.test('busybox unpacks it', { skip: lacks('busybox') }, async (t) => {
  const root = t.testdir();
  const out = join(root, 'out');
  mkdirSync(out);
  const { status, stderr } = spawnSync('busybox', ['cpio', '-idm', 'init', 'sh', 'modules/*'], {
    cwd: out,
    input: await cpioOf(tree, 7),
  });
  t.equal(status, 0, stderr?.toString());
  t.equal(readFileSync(join(out, 'init'), 'utf8'), '#!/bin/sh\n');
  t.equal(readFileSync(join(out, 'modules/a.ko'), 'latin1'), 'm'.repeat(70001));
  t.equal(readlinkSync(join(out, 'sh')), 'busybox');
});
