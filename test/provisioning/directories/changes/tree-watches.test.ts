import { chmod, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { hostPathOf } from '../../../../provisioning/directories/changes/service.ts';
import {
  TreeWatches,
  type TreeWatchesOptions,
} from '../../../../provisioning/directories/changes/tree-watches.ts';

/** For the system to tell; nothing comes after it on a computer that works. */
const settleMs = 200;

async function watched(t: Test, options: Partial<TreeWatchesOptions> = {}) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'tw-')));
  await mkdir(join(root, 'a', 'b'), { recursive: true });
  await writeFile(join(root, 'a', 'file'), 'x');
  const heard = new Set<string>();
  const names = new Set<string>();
  const warnings: string[] = [];
  const watches = new TreeWatches({
    hostPath: (path) => hostPathOf([Buffer.from(root)], path),
    onChange: (path, { renamed }) => {
      heard.add(path);
      if (renamed) names.add(path);
    },
    isOwn: () => false,
    onWarning: (text) => void warnings.push(text),
    ...options,
  });
  t.teardown(async () => {
    watches[Symbol.dispose]();
    await rm(root, { recursive: true });
  });
  const take = async () => {
    await delay(settleMs);
    const paths = [...heard].sort();
    heard.clear();
    return paths;
  };
  /** Of those, what may have another name, or none. */
  const takeRenamed = async () => {
    await take();
    const paths = [...names].sort();
    names.clear();
    return paths;
  };
  return { root, watches, take, takeRenamed, warnings };
}

t.test('what is written, made, renamed and removed below what is wanted is told', async (t) => {
  const { root, watches, take } = await watched(t);
  watches.want(['/0/a']);
  await watches.settled();
  await writeFile(join(root, 'outside'), 'x');
  await writeFile(join(root, 'a', 'file'), 'y');
  t.strictSame(await take(), ['/0/a/file']);
  await writeFile(join(root, 'a', 'b', 'ü'), 'y');
  t.strictSame(await take(), [`/0/a/b/${Buffer.from('ü').toString('latin1')}`]);
  await rename(join(root, 'a', 'file'), join(root, 'a', 'b', 'moved'));
  t.strictSame(await take(), ['/0/a/b/moved', '/0/a/file']);
  await rm(join(root, 'a', 'b', 'moved'));
  t.strictSame(await take(), ['/0/a/b/moved']);
});

t.test('directories that are made later are watched, with what was in them before', async (t) => {
  const { root, watches, take } = await watched(t);
  watches.want(['/0']);
  await watches.settled();
  await mkdir(join(root, 'new', 'er'), { recursive: true });
  await writeFile(join(root, 'new', 'er', 'file'), 'x');
  t.match(new Set(await take()), new Set(['/0/new', '/0/new/er', '/0/new/er/file']));
  await writeFile(join(root, 'new', 'er', 'later'), 'x');
  t.strictSame(await take(), ['/0/new/er/later']);
  await rename(join(root, 'new'), join(root, 'other'));
  await take();
  await writeFile(join(root, 'other', 'er', 'later'), 'y');
  t.strictSame(await take(), ['/0/other/er/later'], 'by its new name');
});

t.test('single files are watched alone, also when they are replaced', async (t) => {
  const { root, watches, take } = await watched(t);
  watches.want(['/0/a/file']);
  await watches.settled();
  await writeFile(join(root, 'a', 'neighbour'), 'x');
  t.strictSame(await take(), []);
  await rename(join(root, 'a', 'neighbour'), join(root, 'a', 'file'));
  t.strictSame(await take(), ['/0/a/file']);
});

t.test('what the machine did itself is not told, but what is made in its new directories is', async (t) => {
  const own = new Set(['/0/mine']);
  const { root, watches, take } = await watched(t, { isOwn: (path) => own.has(path) });
  watches.want(['/0']);
  await watches.settled();
  await mkdir(join(root, 'mine'));
  t.strictSame(await take(), []);
  await writeFile(join(root, 'mine', 'file'), 'x');
  t.strictSame(await take(), ['/0/mine/file']);
});

t.test(
  'a directory whose attributes change is the same one, and another of its name is not',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { root, watches, take, takeRenamed } = await watched(t);
    watches.want(['/0']);
    await watches.settled();
    await takeRenamed();
    for (const path of ['a/b', 'a', '.']) await chmod(join(root, path), 0o711);
    t.strictSame(await takeRenamed(), []);
    await writeFile(join(root, 'a', 'b', 'file'), 'x');
    t.strictSame(await take(), ['/0/a/b/file'], 'it is watched as before');
    await rm(join(root, 'a', 'b'), { recursive: true });
    await mkdir(join(root, 'a', 'b'));
    t.ok((await takeRenamed()).includes('/0/a/b'));
    await writeFile(join(root, 'a', 'b', 'file'), 'x');
    t.ok((await take()).includes('/0/a/b/file'));
    await rm(join(root, 'a', 'b'), { recursive: true });
    t.ok((await takeRenamed()).includes('/0/a/b'), 'it is gone');
  },
);

t.test('symbolic links are not followed, and loops of them do no harm', async (t) => {
  const { root, watches } = await watched(t);
  await symlink(root, join(root, 'a', 'loop'));
  watches.want(['/0']);
  await watches.settled();
  t.equal(watches.size, 3);
});

t.test(
  'more directories than may be watched are said once',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { root, watches, take, warnings } = await watched(t, { max: 2 });
    await mkdir(join(root, 'c'));
    watches.want(['/0']);
    await watches.settled();
    t.equal(watches.size, 2);
    t.match(warnings, [/more than 2 directories.*Bind smaller/]);
    t.equal(warnings.length, 1);
    await writeFile(join(root, 'top'), 'x');
    t.strictSame(await take(), ['/0/top'], 'the nearest are watched');
  },
);

t.test('what nobody wants any more is let go after a while, and not at once', async (t) => {
  const { watches } = await watched(t, { lingerMs: 100 });
  watches.want(['/0']);
  await watches.settled();
  t.equal(watches.size, 3);
  watches.want([]);
  t.equal(watches.size, 3);
  await delay(200);
  t.equal(watches.size, 0);
});
