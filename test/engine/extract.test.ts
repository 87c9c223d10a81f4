import { execFileSync, spawn } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { openArchivePath } from '../../guest/layers/archive-path.ts';
import { ConfinedRoot } from '../../guest/layers/confined-root.ts';
import { type ExtractOptions, extractTar } from '../../guest/layers/extract.ts';
import { type MemberSpec, makeTar, readAll } from '../helpers/tar.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** A container's root next to something that must not be touched. */
function setUp(t: Test) {
  const dir = t.testdir({ outside: { secret: 'secret' }, root: { etc: { passwd: 'root' }, data: {} } });
  const rootDir = join(dir, 'root');
  const root = new ConfinedRoot(rootDir);
  t.teardown(() => root[Symbol.dispose]());
  const put = (path: string, members: readonly MemberSpec[], options?: ExtractOptions) =>
    extractTar(root, path, Readable.from([makeTar(members)]), options);
  return { outside: join(dir, 'outside'), rootDir, root, put };
}

t.test('a tar is unpacked over what is there', { skip }, async (t) => {
  const { rootDir, put } = setUp(t);
  await put('/data', [
    { path: 'd', type: 'directory', mode: 0o750, uid: 5, mtimeNs: 5_000_000_000n },
    { path: 'd/f', content: 'f', mode: 0o4755, uid: 1, gid: 2 },
    { path: 'd/h', type: 'hardlink', linkPath: 'd/f' },
    { path: 's', type: 'symlink', linkPath: '../x', uid: 3 },
    { path: 'pipe', type: 'fifo', mode: 0o600 },
    { path: 'cap', content: 'c', xattrs: new Map([['user.a', Buffer.from('b')]]) },
    { path: 'missing/parent/f', content: 'p' },
  ]);
  await put(
    '/data',
    [
      { path: 'd/f', content: 'again' },
      { path: 's', content: 'no link now' },
    ],
    { owner: { uid: 7, gid: 8 } },
  );
  const stat = (path: string) => lstatSync(join(rootDir, 'data', path));
  t.match(stat('d'), { uid: 5 });
  t.equal(stat('d').mode & 0o7777, 0o750);
  t.match(stat('d/f'), { uid: 7, gid: 8, size: 5 });
  t.match(stat('d/h'), { uid: 1, gid: 2, size: 1 });
  t.equal(stat('d/h').mode & 0o7777, 0o4755);
  t.ok(stat('pipe').isFIFO());
  t.ok(stat('s').isFile());
  t.equal(readFileSync(join(rootDir, 'data/missing/parent/f'), 'utf8'), 'p');
});

t.test('links inside the tree are followed inside it, and nothing leads out', { skip }, async (t) => {
  const { rootDir, outside, put } = setUp(t);
  symlinkSync(outside, join(rootDir, 'absolute'));
  symlinkSync('../../../../../..', join(rootDir, 'up'));
  symlinkSync('/etc', join(rootDir, 'inside'));
  await put('/', [
    { path: 'up/x', content: 'x' },
    { path: 'inside/hosts', content: 'h' },
  ]);
  t.equal(readFileSync(join(rootDir, 'x'), 'utf8'), 'x');
  t.equal(readFileSync(join(rootDir, 'etc/hosts'), 'utf8'), 'h');
  await put('/', [{ path: 'absolute/evil', content: 'x' }]);
  t.equal(readFileSync(join(rootDir, outside, 'evil'), 'utf8'), 'x', 'made inside');
  await t.rejects(put('/data', [{ path: '../../x', content: '' }]), { name: 'InvalidParameter' });
  await t.rejects(put('/', [{ path: 'h', type: 'hardlink', linkPath: `../${outside}/secret` }]), {
    name: 'InvalidParameter',
  });
  await t.rejects(put('/absolute2', []), { name: 'NotFound' });
  await t.rejects(put('/etc/passwd', []), { name: 'InvalidParameter' });
  t.same(readdirSync(outside), ['secret']);
});

t.test('a tree that changes meanwhile does not lead out either', { skip }, async (t) => {
  const { rootDir, outside, put } = setUp(t);
  // Another process swaps a directory for a link and back as fast as it can.
  const script = `cd "$1"; mkdir -p real; while [ -d . ]; do mv -T real swap; ln -sfn "$2" real; rm real; mv -T swap real; done`;
  const swapper = spawn('sh', ['-c', script, 'sh', join(rootDir, 'data'), outside], {
    stdio: 'ignore',
  });
  try {
    for (let i = 0; i < 200; i++) {
      await put('/data', [
        { path: 'real/evil', content: 'x' },
        { path: 'real/deep/er', content: 'x' },
      ]).catch(() => {});
      await put('/data', [{ path: 'real', content: 'a file, so that the directory is removed' }]).catch(
        () => {},
      );
    }
  } finally {
    swapper.kill('SIGKILL');
  }
  t.same(readdirSync(outside), ['secret']);
  t.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret');
});

t.test(
  "directories and files do not take each other's place when that is not wanted",
  { skip },
  async (t) => {
    const { rootDir, put } = setUp(t);
    const options = { noOverwriteDirNonDir: true };
    await t.rejects(
      put('/', [{ path: 'etc', content: '' }], options),
      /cannot overwrite directory "etc" with non-directory/,
    );
    await t.rejects(
      put('/etc', [{ path: 'passwd', type: 'directory' }], options),
      /cannot overwrite non-directory/,
    );
    await put('/', [{ path: 'etc', content: 'a file' }]);
    t.equal(readFileSync(join(rootDir, 'etc'), 'utf8'), 'a file');
  },
);

t.test('a path is archived under the name that was asked for', { skip }, async (t) => {
  const { rootDir, outside, root } = setUp(t);
  mkdirSync(join(rootDir, 'data/sub'));
  writeFileSync(join(rootDir, 'data/sub/file'), 'content');
  symlinkSync(outside, join(rootDir, 'leak'));
  symlinkSync('data', join(rootDir, 'alias'));
  execFileSync('ln', [join(rootDir, 'data/sub/file'), join(rootDir, 'data/sub/hard')]);
  const names = async (path: string) => {
    using archive = openArchivePath(root, path);
    const members = readAll(Buffer.concat(await archive.tar().toArray()));
    return members.map((m) => `${m.path}${m.linkPath && ` -> ${m.linkPath}`}`);
  };
  t.same(await names('/data/sub/file'), ['file']);
  t.same(await names('/data/sub'), ['sub/', 'sub/file', 'sub/hard -> sub/file']);
  t.same(await names('/data/sub/.'), ['./', './file', './hard -> ./file']);
  t.same(await names('/alias/sub/file'), ['file']);
  t.same(await names('/leak'), [`leak -> ${outside}`], 'a link is archived, not followed');
  t.throws(() => openArchivePath(root, '/leak/secret'), { name: 'NotFound' }, 'it leads nowhere inside');
  t.ok((await names('/')).includes('/etc/passwd'));
  using link = openArchivePath(root, '/alias');
  t.equal(link.linkTarget, '/data');
  rmSync(join(rootDir, 'alias'));
  t.equal(readlinkSync(join(rootDir, 'leak')), outside);
});
