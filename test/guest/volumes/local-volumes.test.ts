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
  await volumes.populate('data', async () => from);
  t.equal(await readFile(join(mountpoint, 'sub/file'), 'utf8'), 'from the image');
  t.equal((await stat(join(mountpoint, 'sub/file'))).mode & 0o777, 0o640);
  t.equal((await stat(mountpoint)).mode & 0o777, (await stat(from)).mode & 0o777);
  await writeFile(join(mountpoint, 'sub/file'), 'mine');
  await volumes.populate('data', async () => from);
  t.equal(await readFile(join(mountpoint, 'sub/file'), 'utf8'), 'mine');
});

t.test('a copy-up that fails leaves the volume empty', async (t) => {
  const { volumes, directory } = await open(t);
  const { mountpoint } = await volumes.ensure('data');
  await t.rejects(
    volumes.populate('data', async () => join(directory, 'missing')),
    { name: 'Internal' },
  );
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

t.test('of a volume that was being filled below a path, only that is undone', async (t) => {
  const { volumes, directory, db } = await open(t);
  const cut = await volumes.ensure('cut-off');
  await mkdir(join(cut.mountpoint, 'part'));
  await writeFile(join(cut.mountpoint, 'part', 'half'), '');
  await writeFile(join(cut.mountpoint, 'whole'), '');
  db.exec(
    `UPDATE volumes SET record = json_set(record, '$.populating', json('true'), '$.populatingBelow', 'part')`,
  );
  const again = (await open(t, directory)).volumes;
  t.same((await readdir(cut.mountpoint)).sort(), ['part', 'whole']);
  t.same(await readdir(join(cut.mountpoint, 'part')), []);
  t.notOk(again.get('cut-off').populatingBelow);
});

t.test('a volume for a container that was never recorded is gone at the next start', async (t) => {
  const { volumes, directory } = await open(t);
  const loose = await volumes.ensure('');
  const kept = await volumes.ensure('');
  await writeFile(join(loose.mountpoint, 'copied'), '');
  volumes.keep([kept.name]);
  await mkdir(join(directory, 'volumes', 'f'.repeat(64), '_data'), { recursive: true });
  const again = (await open(t, directory)).volumes;
  t.same(await readdir(join(directory, 'volumes')), [kept.name], 'neither row nor directory');
  t.same(
    again.list().map(({ name }) => name),
    [kept.name],
  );
});

t.test('running containers are counted, and told of once', async (t) => {
  const { volumes, published } = await open(t);
  await volumes.ensure('data');
  const user = { containerId: 'c1', destination: '/d', readonly: true, propagation: '' };
  for (let i = 0; i < 2; i++) await volumes.mount('data', user);
  await volumes.mount('data', { ...user, containerId: 'c2' }, { again: true });
  for (const id of ['c1', 'c1', 'c2']) await volumes.unmount('data', id);
  t.same(
    published.slice(1).map(({ action, actor }) => [action, actor.id, actor.attributes]),
    [
      [
        'mount',
        'data',
        { driver: 'local', container: 'c1', destination: '/d', propagation: '', 'read/write': 'false' },
      ],
      ['unmount', 'data', { driver: 'local', container: 'c1' }],
      ['unmount', 'data', { driver: 'local', container: 'c2' }],
    ],
  );
});

t.test('only options that can be honoured are taken', async (t) => {
  const { volumes } = await open(t);
  const table: [Record<string, string>, string][] = [
    [{ nonsense: '1' }, 'create data: invalid option: "nonsense"'],
    [{ size: '1g' }, 'create data: quota size requested but no quota support'],
    [{ type: 'nosuchfs', device: 'x' }, 'create data: this kernel has no file system "nosuchfs"'],
    [{ type: 'tmpfs' }, 'create data: missing required option: "device"'],
    [{ o: 'bind', device: '/x' }, 'create data: missing required option: "type"'],
    [{ o: 'bind', type: 'none' }, 'create data: missing required option: "device"'],
  ];
  for (const [options, message] of table) {
    const created = volumes.create({ name: 'data', labels: {}, options });
    await t.rejects(created, { name: 'InvalidParameter', message });
  }
  t.same(volumes.list(), []);
});
