import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EngineEvent } from '../../../guest/events/event.ts';
import { openDatabase } from '../../../guest/store/database.ts';
import { LocalVolumes } from '../../../guest/volumes/index.ts';

async function open(t: Test, directory = t.testdir({})) {
  const db = openDatabase(join(directory, 'engine.db'));
  t.teardown(() => db.close());
  const published: EngineEvent[] = [];
  const users = new Map<string, string[]>();
  const volumes = await LocalVolumes.open({
    db,
    directory: join(directory, 'volumes'),
    events: { publish: (event) => void published.push(event) },
    usersOf: (name) => users.get(name) ?? [],
  });
  return { volumes, directory, db, users, published };
}

t.test('a volume is made once, by its name', async (t) => {
  const { volumes, published } = await open(t);
  const first = await volumes.ensure('data', { labels: { a: '1' } });
  t.same(await volumes.ensure('data', { labels: { a: '2' } }), first);
  t.equal(first.anonymous, false);
  t.same(volumes.get('data').labels, { a: '1' });
  t.ok((await stat(first.mountpoint)).isDirectory());
  t.same(
    published.map(({ action }) => action),
    ['create'],
  );
});

t.test('no name makes an anonymous one', async (t) => {
  const { volumes } = await open(t);
  const volume = await volumes.ensure('');
  t.match(volume.name, /^[0-9a-f]{64}$/);
  t.equal(volume.anonymous, true);
});

t.test('names that would leave the directory are refused', async (t) => {
  const { volumes, directory } = await open(t);
  for (const name of ['..', '../x', 'a/b', '.hidden', 'a', 'x y', '/etc', 'a\n', 'x'.repeat(256)]) {
    await t.rejects(volumes.ensure(name), { name: 'InvalidParameter' }, JSON.stringify(name));
  }
  t.same(await readdir(join(directory, 'volumes')), []);
});

t.test('a volume in use is kept, and removed when it is not', async (t) => {
  const { volumes, users, directory } = await open(t);
  await volumes.ensure('data');
  users.set('data', ['c1', 'c2']);
  await t.rejects(volumes.remove('data'), {
    name: 'Conflict',
    message: 'remove data: volume is in use - [c1, c2]',
  });
  users.clear();
  await volumes.remove('data');
  t.throws(() => volumes.get('data'), { name: 'NotFound', message: 'get data: no such volume' });
  await t.rejects(volumes.remove('data'), { name: 'NotFound' });
  t.same(await readdir(join(directory, 'volumes')), []);
});

t.test('an empty volume is filled from the image, one with content is left alone', async (t) => {
  const { volumes, directory } = await open(t);
  const from = join(directory, 'image');
  await mkdir(join(from, 'sub'), { recursive: true, mode: 0o750 });
  await writeFile(join(from, 'sub', 'file'), 'from the image', { mode: 0o640 });
  const { mountpoint } = await volumes.ensure('data');
  await volumes.populate('data', from);
  t.equal(await readFile(join(mountpoint, 'sub/file'), 'utf8'), 'from the image');
  t.equal((await stat(join(mountpoint, 'sub/file'))).mode & 0o777, 0o640);
  t.equal((await stat(mountpoint)).mode & 0o777, (await stat(from)).mode & 0o777);
  await writeFile(join(mountpoint, 'sub/file'), 'mine');
  await volumes.populate('data', from);
  t.equal(await readFile(join(mountpoint, 'sub/file'), 'utf8'), 'mine');
});

t.test('a copy-up that fails leaves the volume empty', async (t) => {
  const { volumes, directory } = await open(t);
  const { mountpoint } = await volumes.ensure('data');
  await t.rejects(volumes.populate('data', join(directory, 'missing')), { name: 'Internal' });
  t.same(await readdir(mountpoint), []);
});

t.test('the next start undoes what a crash left half done', async (t) => {
  const { volumes, directory, db } = await open(t);
  const cut = await volumes.ensure('cut-off');
  await writeFile(join(cut.mountpoint, 'half'), '');
  db.exec(`UPDATE volumes SET record = json_set(record, '$.populating', json('true'))`);
  await mkdir(join(directory, 'volumes', '.removed-1', '_data'), { recursive: true });
  const again = (await open(t, directory)).volumes;
  t.same(await readdir(join(directory, 'volumes')), ['cut-off']);
  t.same(await readdir(again.mountpoint('cut-off')), []);
  t.equal(again.get('cut-off').populating, false);
});

t.test('only options that can be honoured are taken', async (t) => {
  const { volumes } = await open(t);
  const create = (options: Record<string, string>) => volumes.create({ name: 'data', labels: {}, options });
  await t.rejects(create({ size: '1g' }), { message: /invalid option: "size"/ });
  await t.rejects(create({ type: 'nosuchfs', device: 'x' }), { message: /no file system "nosuchfs"/ });
  await t.rejects(create({ type: 'tmpfs' }), { message: /missing device/ });
  await t.rejects(create({ o: 'bind', device: 'relative' }), { message: /absolute path/ });
  t.same(volumes.list(), []);
});
