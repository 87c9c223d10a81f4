import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writeErofs } from '../../../images/erofs/write-erofs.ts';
import { FileTree } from '../../../images/tree/file-tree.ts';
import { lacks, outputOf } from '../support/programs.ts';

const buildTime = 1_700_000_000;
const uuid = Buffer.alloc(16, 7);
const sizes = [0, 1, 4000, 4032, 4064, 4065, 4095, 4096, 4097, 8192, 12293, 1 << 20];
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
const lacksMount =
  process.getuid?.() !== 0 || !readOr('/proc/filesystems').includes('erofs')
    ? 'mounting needs root and a kernel with EROFS'
    : false;

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Every kind of node, sizes around every boundary, names that test the order. */
function sampleTree(directory: string): FileTree {
  const tree = new FileTree();
  for (const size of sizes) tree.file(`/sizes/${size}`, Buffer.alloc(size, `${size},`));
  const path = join(directory, 'on-disk');
  writeFileSync(path, Buffer.alloc(3_000_001, 'disk'));
  tree.file('/on-disk', { path, size: 3_000_001 }, 0o4755);
  for (let index = 0; index < 1000; index++) tree.file(`/many/a-name-of-some-length-${index}`, `${index}`);
  for (const name of ['!', '-', '.hidden', 'é', 'z', 'A', '\u{1f600}', '\uffee'])
    tree.file(`/many/${name}`, name);
  tree.file('/bin/tool', 'tool', 0o755);
  tree.link('/bin/same', '/bin/tool');
  tree.symlink('/short', 'bin/tool');
  tree.symlink('/long', 'x'.repeat(4000));
  tree.directory('/tmp', 0o1777);
  tree.device('/dev/console', 'character', 5, 1);
  tree.device('/dev/disk', 'block', 259, 70_000);
  const xattrs = new Map([
    ['security.capability', capability],
    ['user.note', Buffer.from('text')],
  ]);
  tree.put('/with-xattrs', {
    kind: 'file',
    content: Buffer.alloc(3990, 'c'),
    mode: 0o755,
    uid: 70_000,
    gid: 3,
    xattrs,
  });
  return tree;
}

async function written(t: Test): Promise<string> {
  const directory = t.testdir();
  const path = join(directory, 'image.erofs');
  await writeErofs({ tree: sampleTree(directory), path, buildTime, uuid });
  return path;
}

t.test('fsck.erofs finds nothing wrong, and reads every file', { skip: lacks('fsck.erofs') }, async (t) => {
  const path = await written(t);
  t.equal(outputOf('fsck.erofs', [path]).includes('error'), false);
});

t.test('dump.erofs sees the superblock that was meant', { skip: lacks('dump.erofs') }, async (t) => {
  const text = outputOf('dump.erofs', [await written(t)]);
  t.match(text, /inode count: +1033\n/);
  t.match(text, /UUID: +07070707-0707-0707-0707-070707070707/);
});

t.test('the kernel mounts it and finds everything as it was put in', { skip: lacksMount }, async (t) => {
  const path = await written(t);
  const at = `${path}.mounted`;
  mkdirSync(at);
  outputOf('mount', ['-t', 'erofs', '-o', 'loop,ro', path, at]);
  try {
    checkMounted(t, at);
  } finally {
    spawnSync('umount', [at]);
  }
});

function checkMounted(t: Test, at: string): void {
  for (const size of sizes)
    t.ok(readFileSync(join(at, 'sizes', `${size}`)).equals(Buffer.alloc(size, `${size},`)), `${size} bytes`);
  t.ok(readFileSync(join(at, 'on-disk')).equals(Buffer.alloc(3_000_001, 'disk')));
  const names = readdirSync(join(at, 'many'));
  t.equal(names.length, 1008);
  for (const name of names) if (statSync(join(at, 'many', name)).size === 0) t.fail(`"${name}" is empty`);
  const [tool, same] = [statSync(join(at, 'bin/tool')), statSync(join(at, 'bin/same'))];
  t.strictSame([tool.nlink, tool.ino, tool.mtimeMs], [2, same.ino, buildTime * 1000]);
  t.equal(readlinkSync(join(at, 'short')), 'bin/tool');
  t.equal(readlinkSync(join(at, 'long')), 'x'.repeat(4000));
  t.equal(statSync(join(at, 'tmp')).mode & 0o7777, 0o1777);
  t.equal(statSync(join(at, 'dev/console')).rdev, 0x501);
  t.equal(outputOf('stat', ['-c', '%t:%T %F', join(at, 'dev/disk')]), '103:11170 block special file\n');
  const extended = statSync(join(at, 'with-xattrs'));
  t.strictSame([extended.uid, extended.gid, extended.size], [70_000, 3, 3990]);
  if (lacks('getcap') === false)
    t.match(outputOf('getcap', [join(at, 'with-xattrs')]), /cap_net_bind_service/);
}

t.test('equal trees make equal images', async (t) => {
  const directory = t.testdir({ one: {}, two: {} });
  const hashes = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const path = join(directory, name, 'image');
      await writeErofs({ tree: sampleTree(join(directory, name)), path, buildTime, uuid });
      return createHash('sha256').update(readFileSync(path)).digest('hex');
    }),
  );
  t.equal(hashes[0], hashes[1]);
});

t.test('a name that is too long and an attribute that has no place are errors', async (t) => {
  const path = join(t.testdir(), 'image');
  const long = new FileTree();
  long.file(`/${'n'.repeat(256)}`, '');
  await t.rejects(writeErofs({ tree: long, path, buildTime, uuid }), { message: /file name of 256 bytes/ });
  const odd = new FileTree();
  odd.put('/x', {
    kind: 'file',
    content: Buffer.alloc(0),
    mode: 0o644,
    uid: 0,
    gid: 0,
    xattrs: new Map([['odd.name', Buffer.alloc(1)]]),
  });
  await t.rejects(writeErofs({ tree: odd, path, buildTime, uuid }), { message: /"odd.name"/ });
});
