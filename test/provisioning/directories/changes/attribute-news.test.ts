import { lstatSync } from 'node:fs';
import { appendFile, chmod, lstat, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { attributeNews, takesMode } from '../../../../provisioning/directories/changes/attribute-news.ts';
import { PendingChanges } from '../../../../provisioning/directories/changes/pending-changes.ts';
import { hostPathOf } from '../../../../provisioning/directories/changes/service.ts';
import { ToldStates } from '../../../../provisioning/directories/changes/told-states.ts';
import { TreeWatches } from '../../../../provisioning/directories/changes/tree-watches.ts';

const written = { renamed: false, wasDirectory: false };
const renamed = { renamed: true, wasDirectory: false };
const user = { uid: process.getuid?.() ?? 0, groups: [process.getgid?.() ?? 0] };

t.test('what is told by attributes is what is not as it was told before', async (t) => {
  const root = t.testdir({ d: { new: 'x', kept: 'x' }, file: 'x' });
  await symlink('file', join(root, 'link'));
  const told = new ToldStates();
  const hostPath = (path: string) => hostPathOf([Buffer.from(root)], path);
  const news = async (...heard: [string, typeof written][]) => {
    const pending = new PendingChanges();
    for (const [path, how] of heard) pending.add(path, how);
    return await attributeNews(pending.takeHeard(), { told, hostPath, user });
  };
  t.strictSame(await news(['/0/file', written], ['/0/d/new', renamed], ['/0/gone', renamed]), {
    gone: ['/0/gone'],
    directories: ['/0/d', '/0'],
    files: ['/0/file', '/0/d/new'],
  });
  t.strictSame(
    await news(['/0/file', written], ['/0/d/new', written], ['/0/d', renamed], ['/0/d/d', written]),
    { gone: [], directories: [], files: [] },
    'echoes, of files, of a directory in its parent, and of one itself',
  );
  await writeFile(join(root, 'd', 'more'), 'x');
  t.strictSame(
    (await news(['/0/d/d', written])).directories,
    ['/0/d'],
    'a directory that has changed itself',
  );
  t.strictSame(
    await news(['/0/link', renamed]),
    { gone: [], directories: ['/0'], files: [] },
    'a link is told by its directory',
  );
});

t.test('of too many the rest is told by their directories', async (t) => {
  const root = t.testdir({ d: { a: 'x', b: 'x', c: 'x' } });
  const pending = new PendingChanges({ max: 1 });
  for (const name of ['a', 'b', 'c']) pending.add(`/0/d/${name}`, written);
  const hostPath = (path: string) => hostPathOf([Buffer.from(root)], path);
  t.strictSame(await attributeNews(pending.takeHeard(), { told: new ToldStates(), hostPath, user }), {
    gone: [],
    directories: ['/0/d'],
    files: ['/0/d/a'],
  });
});

t.test('a mode is set only where that changes nothing else', async (t) => {
  const { uid, gid } = { uid: 1000, gid: 1000 };
  const stats = (mode: number, other: { uid?: number; gid?: number; directory?: boolean } = {}) => ({
    ...{ uid, gid, mode, ...other },
    isFile: () => !other.directory,
    isDirectory: () => other.directory === true,
  });
  const takes = (...args: Parameters<typeof stats>) => takesMode(stats(...args), { uid, groups: [gid, 50] });
  t.ok(takes(0o100755));
  t.notOk(takes(0o100644, { uid: 0 }), 'of somebody else');
  t.notOk(takes(0o104755));
  t.ok(takes(0o042775, { gid: 50, directory: true }));
  t.notOk(takes(0o042775, { gid: 51, directory: true }), 'it would lose the bit');
  t.ok(takesMode(stats(0o104755, { uid: 5, gid: 5 }), { uid: 0, groups: [] }));
  t.notOk(takesMode({ ...stats(0o120777), isFile: () => false }, { uid: 0, groups: [] }), 'a link');
});

/** What a supervisor and its machine do, the latter's setting of modes included. */
async function machineOf(t: Test, root: string, told: ToldStates) {
  const hostPath = (path: string) => hostPathOf([Buffer.from(root)], path);
  const pending = new PendingChanges({ max: 128 });
  const tells: string[] = [];
  let heardAt = performance.now();
  let working: Promise<void> | null = null;
  const tell = async () => {
    await delay(10);
    const { gone, directories, files } = await attributeNews(pending.takeHeard(), { told, hostPath, user });
    tells.push(...gone, ...directories, ...files);
    for (const path of [...directories, ...files]) {
      const host = hostPath(path)!;
      await chmod(host, (await lstat(host)).mode & 0o7777).catch(() => {});
    }
  };
  const tellAll = async () => {
    while (!pending.isEmpty) await tell();
    working = null;
  };
  const watches = new TreeWatches({
    hostPath,
    isOwn: () => false,
    onWarning: (text) => t.fail(text),
    onChange: (path, how) => {
      heardAt = performance.now();
      pending.add(path, how);
      working ??= tellAll();
    },
  });
  t.teardown(() => watches[Symbol.dispose]());
  watches.want(['/0']);
  await watches.settled();
  return {
    /** When nothing was heard for a while. */
    async quiet(withinMs = 10_000) {
      heardAt = performance.now();
      const deadline = heardAt + withinMs;
      while (performance.now() - heardAt < 300 && performance.now() < deadline) await delay(50);
      await working;
      if (performance.now() >= deadline) throw new Error(`still hears its echo: ${tells.slice(-10).join()}`);
      return tells.splice(0);
    },
  };
}

async function twoMachines(t: Test, told: () => ToldStates) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'echo-')));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'sub', 'deep'), { recursive: true });
  await writeFile(join(root, 'file'), 'x');
  const machines = [await machineOf(t, root, told()), await machineOf(t, root, told())];
  return { root, quiet: async () => await Promise.all(machines.map((machine) => machine.quiet())) };
}

t.test(
  'two machines that have the same directory tell each change once, and are quiet',
  { skip: process.platform !== 'linux' && 'a watch for each directory' },
  async (t) => {
    const { root, quiet } = await twoMachines(t, () => new ToldStates());
    await quiet();
    const { mtimeMs } = lstatSync(join(root, 'file'));
    await appendFile(join(root, 'file'), 'y');
    for (const tells of await quiet()) t.strictSame(tells, ['/0/file']);
    t.not(lstatSync(join(root, 'file')).mtimeMs, mtimeMs);

    await chmod(join(root, 'file'), 0o755);
    for (const tells of await quiet()) t.strictSame(tells, ['/0/file']);
    t.equal(lstatSync(join(root, 'file')).mode & 0o777, 0o755);

    await chmod(join(root, 'sub'), 0o711);
    for (const tells of await quiet()) t.strictSame(tells, ['/0/sub']);
    await mkdir(join(root, 'sub', 'new'));
    for (const tells of await quiet()) t.strictSame(new Set(tells), new Set(['/0/sub/new', '/0/sub']));
    await writeFile(join(root, 'sub', 'new', 'x'), 'x');
    for (const tells of await quiet()) {
      t.ok(tells.includes('/0/sub/new/x') && tells.includes('/0/sub/new'), tells.join());
      t.ok(tells.length <= 4, tells.join());
    }
    await rm(join(root, 'sub', 'new'), { recursive: true });
    for (const tells of await quiet()) {
      t.ok(tells.includes('/0/sub') && tells.length <= 5, tells.join());
    }
  },
);

t.test(
  'they come to an end also when they remember next to nothing',
  { skip: process.platform !== 'linux' && 'a watch for each directory', timeout: 60_000 },
  async (t) => {
    const started = Date.now();
    // Ten seconds go by in one.
    const now = () => started + (Date.now() - started) * 10;
    const { root, quiet } = await twoMachines(t, () => new ToldStates({ max: 3, now }));
    for (let i = 0; i < 40; i++) await writeFile(join(root, 'sub', `${i}`), 'x');
    const tells = await quiet();
    for (const paths of tells) t.ok(paths.length >= 40, `${paths.length} told`);
  },
);
