import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { MemberSpec } from '../../helpers/tar.ts';
import { commit, type MakeLayers, shown } from './system.ts';

/** Tars that mean harm. */
export function testHostileTars(t: Test, make: MakeLayers): void {
  t.test('a hostile tar writes nothing outside and leaves nothing', async (t) => {
    const system = make(t);
    const outside = join(system.dataRoot, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret');
    const before = everything(system.dataRoot);
    const up = '../'.repeat(20);
    const refused: [string, MemberSpec[]][] = [
      ['..', [{ path: `${up}${outside}/evil`, content: 'x' }]],
      ['.. after a directory', [{ path: `a/../../../outside/evil`, content: 'x' }]],
      ['.. as a directory', [{ path: '..', type: 'directory', mode: 0o777 }]],
      ['hard link by ..', [{ path: 'h', type: 'hardlink', linkPath: `${up}${outside}/secret` }]],
      ['hard link by absolute name', [{ path: 'h', type: 'hardlink', linkPath: `${outside}/secret` }]],
      [
        'hard link through a symbolic link',
        [
          { path: 's', type: 'symlink', linkPath: outside },
          { path: 'h', type: 'hardlink', linkPath: 's/secret' },
        ],
      ],
      ['hard link to a directory', [{ path: 'h', type: 'hardlink', linkPath: '.' }]],
      [
        'hard link into what it replaces',
        [
          { path: 'a/b', content: '' },
          { path: 'a', type: 'hardlink', linkPath: 'a/b' },
        ],
      ],
      ['whiteout of ..', [{ path: '.wh...', content: '' }]],
      [
        'link loop',
        [
          { path: 's', type: 'symlink', linkPath: 's' },
          { path: 's/x', content: '' },
        ],
      ],
      [
        'file as a directory',
        [
          { path: 'f', content: '' },
          { path: 'f/x', content: '' },
        ],
      ],
      ['root as a file', [{ path: './', content: 'x' }]],
      ['endless name', [{ path: 'n'.repeat(300), content: '' }]],
      ['endless path', [{ path: 'd/'.repeat(5000), type: 'directory' }]],
      ['empty link', [{ path: 's', type: 'symlink' }]],
    ];
    for (const [name, members] of refused) {
      await t.rejects(commit(system, members), { name: 'InvalidParameter' }, name);
    }
    t.same(everything(system.dataRoot), before, 'nothing was left of them');

    const layer = await commit(system, [
      { path: `${outside}/absolute`, content: 'inside' },
      { path: 'up', type: 'symlink', linkPath: `${up}..${outside}` },
      { path: 'up/through-relative', content: 'inside' },
      { path: 'abs', type: 'symlink', linkPath: outside },
      { path: 'abs/through-absolute', content: 'inside' },
      { path: 'abs/dir', type: 'directory', mode: 0o777 },
      { path: 'abs/.wh.secret' },
      { path: 'abs/null', type: 'character', deviceMajor: 1, deviceMinor: 3 },
      { path: 'abs/attr', content: 'x', xattrs: new Map([['user.a', Buffer.from('b')]]) },
    ]);
    const inside = await shown(system, layer.chainId);
    const base = outside.slice(1);
    for (const name of ['absolute', 'through-relative', 'through-absolute', 'dir', 'null', 'attr']) {
      t.ok(
        inside.some((line) => line.startsWith(`${base}/${name} `)),
        `${name} is inside the layer`,
      );
    }
    t.same(readdirSync(outside), ['secret']);
  });
}

/** Every file below, except the database's. */
function everything(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('engine.db'))
    .sort();
}
