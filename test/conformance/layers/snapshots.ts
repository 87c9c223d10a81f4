import { existsSync } from 'node:fs';
import type { Test } from 'tap';
import { inMount, listing } from '../../helpers/overlay.ts';
import { readAll } from '../../helpers/tar.ts';
import { commit, type MakeLayers, read, shown } from './system.ts';

/** Writable snapshots, and what was changed in them. */
export function testSnapshots(t: Test, make: MakeLayers): void {
  t.test('a snapshot is made once and removed any number of times', async (t) => {
    const system = make(t);
    await system.snapshots.prepare('x', null);
    await t.rejects(system.snapshots.prepare('x', null), { name: 'Conflict' });
    t.same(listing(system.snapshots.mount('x')), []);
    await system.snapshots.remove('x');
    await system.snapshots.remove('x');
    t.throws(() => system.snapshots.mount('x'), { name: 'NotFound' });
    await t.rejects(system.snapshots.prepare('y', `sha256:${'0'.repeat(64)}`), { name: 'NotFound' });
  });

  t.test(
    "a snapshot's changes are listed as docker diff does, and its tar makes the same layer",
    async (t) => {
      const system = make(t);
      const base = await commit(system, [
        { path: 'etc', type: 'directory' },
        { path: 'etc/passwd', content: 'root' },
        { path: 'etc/group', content: 'root' },
        { path: 'old', type: 'directory' },
        { path: 'old/a', content: 'a' },
        { path: 'old/sub', type: 'directory' },
        { path: 'old/sub/b', content: 'b' },
        { path: 'still', content: 's' },
      ]);
      await system.snapshots.prepare('x', base.chainId);
      inMount(
        system.snapshots.mount('x'),
        `echo more >>etc/passwd; rm etc/group; rm -r old; mkdir -p old/sub; echo n >old/new
       mkdir srv; echo f >srv/file; ln srv/file srv/link; ln -s x srv/soft`,
      );
      t.same(
        (await system.snapshots.changes('x')).map(({ kind, path }) => `${kind} ${path}`),
        [
          'modified /etc',
          'deleted /etc/group',
          'modified /etc/passwd',
          'modified /old',
          'deleted /old/a',
          'added /old/new',
          'modified /old/sub',
          'deleted /old/sub/b',
          'added /srv',
          'added /srv/file',
          'added /srv/link',
          'added /srv/soft',
        ],
      );
      t.equal(await system.snapshots.usage('x'), 'rootmore\n'.length + 2 + 2);
      const tar = await read(system.snapshots.diff('x'));
      const names = readAll(tar).map(({ path }) => path);
      t.same(
        names.filter((name) => name.includes('.wh.')),
        ['etc/.wh.group', 'old/.wh..wh..opq'],
      );
      const top = await commit(system, tar, base.chainId);
      t.same(await shown(system, top.chainId), listing(system.snapshots.mount('x')));
      t.same(await read(system.snapshots.diff('x')), tar, 'the same changes give the same bytes');
    },
  );

  t.test('what containers are given to mount on is no change', async (t) => {
    const system = make(t);
    const base = await commit(system, [
      { path: 'etc', type: 'directory', mtimeNs: 1_700_000_000_123_456_789n },
      { path: 'etc/hosts', content: "the image's own" },
    ]);
    await system.snapshots.prepare('x', base.chainId);
    inMount(
      system.snapshots.mount('x'),
      'test -f etc/hostname; test -f etc/resolv.conf; mkdir -p proc sys dev',
    );
    t.same(await system.snapshots.changes('x'), []);
    inMount(system.snapshots.mount('x'), 'echo mine >etc/hosts');
    t.same(
      (await system.snapshots.changes('x')).map(({ path }) => path),
      ['/etc/hosts'],
    );
    const names = readAll(await read(system.snapshots.diff('x'))).map(({ path }) => path);
    t.same(
      names.filter((name) => name.startsWith('etc/')),
      ['etc/', 'etc/hosts'],
    );
  });

  t.test('a snapshot without changes has an empty diff', async (t) => {
    const system = make(t);
    await system.snapshots.prepare('x', null);
    t.same(await system.snapshots.changes('x'), []);
    t.same(readAll(await read(system.snapshots.diff('x'))), []);
    t.equal(existsSync(system.dataRoot), true);
  });
}
