import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { OwnChanges } from '../../../../provisioning/directories/changes/own-changes.ts';
import { PendingChanges } from '../../../../provisioning/directories/changes/pending-changes.ts';
import { hostPathOf } from '../../../../provisioning/directories/changes/service.ts';

const written = { renamed: false, wasDirectory: false };
const renamed = { renamed: true, wasDirectory: false };

t.test('changes are told once, as what is there now', async (t) => {
  const root = t.testdir({});
  await mkdir(join(root, 'd'));
  await writeFile(join(root, 'd', 'new'), 'x');
  await writeFile(join(root, 'written'), 'x');
  const pending = new PendingChanges();
  pending.add('/0/written', written);
  pending.add('/0/written', written);
  pending.add('/0/d', { renamed: true, wasDirectory: true });
  pending.add('/0/d/new', renamed);
  pending.add('/0/removed', renamed);
  pending.add('/0/emptied', { renamed: true, wasDirectory: true });
  pending.add('/0/emptied/file', renamed);
  pending.add('/0/itself', written);
  t.strictSame(await pending.take((path) => hostPathOf([Buffer.from(root)], path)), {
    gone: ['/0/removed', '/0/emptied', '/0/emptied/file', '/0/itself'],
    arrived: [],
    departed: [
      { path: '/0/removed', wasDirectory: false },
      { path: '/0/emptied', wasDirectory: true },
    ],
    directories: ['/0', '/0/d', '/0/emptied'],
    files: ['/0/written', '/0/d/new'],
    collapsed: 0,
  });
  t.ok(pending.isEmpty);
});

t.test('directories are new when they were not there, and have not come with another', async (t) => {
  const root = t.testdir({ made: {}, replaced: {}, unknown: {}, file: '' });
  const pending = new PendingChanges();
  pending.add('/0/made', renamed);
  pending.add('/0/made', { renamed: true, wasDirectory: true });
  pending.add('/0/replaced', { renamed: true, wasDirectory: true });
  pending.add('/0/unknown', { renamed: true, wasDirectory: null });
  pending.add('/0/file', renamed);
  const take = () => pending.take((path) => hostPathOf([Buffer.from(root)], path));
  const { arrived } = await take();
  t.match(arrived, [{ path: '/0/made', attributes: { mode: Number }, sinceMs: Number }]);
  t.equal(arrived.length, 1);
  t.ok(Math.abs(Date.now() - arrived[0]!.sinceMs) < 5000);
});

t.test('of too many the rest is told by their directories', async (t) => {
  const root = t.testdir({ a: 'x' });
  const pending = new PendingChanges({ max: 1 });
  pending.add('/0/a', written);
  pending.add('/0/b/1', written);
  pending.add('/0/b/2', written);
  const { files, directories, collapsed } = await pending.take((path) =>
    hostPathOf([Buffer.from(root)], path),
  );
  t.strictSame({ files, directories, collapsed }, { files: ['/0/a'], directories: ['/0/b'], collapsed: 2 });
});

t.test('paths of the server lead to what is shared, or nowhere', async (t) => {
  const roots = [Buffer.from('/home/me'), null, Buffer.from('/')];
  const at = (path: string) => hostPathOf(roots, path)?.toString() ?? null;
  t.strictSame(['/0', '/0/a', '/1/a', '/2/a', '/3', '/x', ''].map(at), [
    '/home/me',
    '/home/me/a',
    null,
    '/a',
    null,
    null,
    null,
  ]);
});

t.test('what the machine changed is known for half a second, however it is written', async (t) => {
  let now = 0;
  const own = new OwnChanges(() => now);
  own.mark(Buffer.from('/0/a/../b'));
  now = 400;
  t.ok(own.has('/0/b'));
  now = 600;
  t.notOk(own.has('/0/b'));
});
