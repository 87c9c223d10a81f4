import type { Test } from 'tap';
import { commit, type MakeLayers, shown } from './system.ts';

/** Layers on layers. */
export function testStacks(t: Test, make: MakeLayers): void {
  t.test('whiteouts and opaque directories hide lower files', async (t) => {
    const system = make(t);
    const base = await commit(system, [
      { path: 'a', content: 'a' },
      { path: 'dir', type: 'directory' },
      { path: 'dir/one', content: '1' },
      { path: 'dir/two', content: '2' },
      { path: 'opaque', type: 'directory' },
      { path: 'opaque/old', content: 'o' },
      { path: 'again', type: 'directory' },
      { path: 'again/old', content: 'o' },
    ]);
    const top = await commit(
      system,
      [
        { path: '.wh.a' },
        { path: '.wh.never-there' },
        { path: 'dir', type: 'directory' },
        { path: 'dir/.wh.one' },
        { path: 'opaque', type: 'directory', mode: 0o700 },
        { path: 'opaque/new', content: 'n' },
        { path: 'opaque/.wh..wh..opq' },
        { path: '.wh.again' },
        { path: 'again', type: 'directory' },
        { path: 'again/new', content: 'n' },
        { path: 'fresh', type: 'directory' },
        { path: 'fresh/.wh.litter' },
        { path: '.wh..wh.plnk', content: 'aufs' },
      ],
      base.chainId,
    );
    t.same(await shown(system, top.chainId), [
      'again d 755 0:0',
      'again/new f 644 0:0',
      'dir d 755 0:0',
      'dir/two f 644 0:0',
      'fresh d 755 0:0',
      'opaque d 700 0:0',
      'opaque/new f 644 0:0',
    ]);
    await t.rejects(commit(system, [{ path: '.wh...' }]), { name: 'InvalidParameter' });
    await t.rejects(commit(system, [{ path: 'd/.wh.' }]), { name: 'InvalidParameter' });
  });

  t.test('a layer may lean on lower layers for directories, links and hard link targets', async (t) => {
    const system = make(t);
    const base = await commit(system, [
      { path: 'usr', type: 'directory', mode: 0o711, uid: 9 },
      { path: 'usr/lib', type: 'directory' },
      { path: 'usr/lib/old', content: 'old', mode: 0o600, uid: 4 },
      { path: 'lib', type: 'symlink', linkPath: 'usr/lib' },
    ]);
    const top = await commit(
      system,
      [
        { path: 'lib/new', content: 'new' },
        { path: 'hard', type: 'hardlink', linkPath: 'usr/lib/old' },
      ],
      base.chainId,
    );
    t.same(await shown(system, top.chainId), [
      'hard f 600 4:0',
      'lib l 777 0:0 usr/lib',
      'usr d 711 9:0',
      'usr/lib d 755 0:0',
      'usr/lib/new f 644 0:0',
      'usr/lib/old f 600 4:0',
    ]);
  });

  t.test('layers that nothing needs are collected, parents after children', async (t) => {
    const system = make(t);
    const base = await commit(system, [{ path: 'a', content: 'a' }]);
    const top = await commit(system, [{ path: 'b', content: 'b' }], base.chainId);
    await system.snapshots.prepare('x', top.chainId);
    await system.layers.collect();
    t.equal(system.layers.get(base.chainId).chainId, base.chainId);
    await system.snapshots.remove('x');
    t.same(await system.layers.collect(), [top.chainId, base.chainId]);
    t.throws(() => system.layers.get(base.chainId), { name: 'NotFound' });
    t.throws(() => system.layers.get(top.chainId), { name: 'NotFound' });
  });
}
