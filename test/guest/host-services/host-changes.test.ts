import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { watchedPaths } from '../../../guest/host-services/host-changes.ts';

t.test('of what containers bind, what the host has is watched, each once', async (t) => {
  const root = t.testdir({});
  for (const path of ['home/project/sub', 'home/ü', 'home/inner', 'own'])
    await mkdir(join(root, path), { recursive: true });
  await symlink('project', join(root, 'home', 'link'));
  const directories = [
    { path: join(root, 'home'), readonly: false },
    { path: join(root, 'home', 'inner'), readonly: true },
  ];
  const watched = (...bound: string[]) =>
    watchedPaths({ directories, boundSources: () => bound.map((path) => join(root, path)) });
  t.strictSame(await watched(), []);
  t.strictSame(await watched('own'), [], 'what the machine has itself is none of the host’s');
  t.strictSame(await watched('home/project', 'home/project/sub', 'home/link'), ['/0/project']);
  t.strictSame(await watched('home/ü'), [`/0/${Buffer.from('ü').toString('latin1')}`]);
  t.strictSame(await watched('home/inner/x'), ['/1/x'], 'the nearest share');
  t.strictSame(await watched('home'), ['/0', '/1'], 'and those within');
  t.strictSame(await watched('.'), ['/0', '/1']);
});
