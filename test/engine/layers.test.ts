import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { type Lease, Leases } from '../../guest/content/leases.ts';
import type { Digest } from '../../guest/digest.ts';
import { OverlayLayerStore } from '../../guest/layers/overlay-layer-store.ts';
import { OverlaySnapshotter } from '../../guest/layers/overlay-snapshotter.ts';
import { openDatabase } from '../../guest/store/database.ts';
import { enginePaths } from '../../guest/store/paths.ts';
import { type LayerSystem, testLayers } from '../conformance/layers/index.ts';
import { inMount, listing, noOverlay } from '../helpers/overlay.ts';
import { makeTar } from '../helpers/tar.ts';

const skip = noOverlay();

function open(
  dataRoot: string,
): LayerSystem & { readonly layers: OverlayLayerStore; readonly leases: Leases } {
  const paths = enginePaths(dataRoot, join(dataRoot, 'run'));
  const db = openDatabase(paths.database);
  const leases = new Leases();
  const layers = new OverlayLayerStore(db, paths, leases);
  return { layers, leases, snapshots: new OverlaySnapshotter(db, paths), dataRoot };
}

t.test('overlay', { skip }, (t) => {
  testLayers(t, (t) => open(t.testdir({})));
  t.end();
});

t.test('opening sweeps what a crash has left, and keeps what rows name', { skip }, async (t) => {
  const dataRoot = t.testdir({});
  const { layers, snapshots } = open(dataRoot);
  const layer = await layers.commitTar(Readable.from([makeTar([{ path: 'a', content: 'a' }])]), null);
  await snapshots.prepare('x', layer.chainId);
  const kept = [readdirSync(join(dataRoot, 'layers')), readdirSync(join(dataRoot, 'snapshots'))];
  mkdirSync(join(dataRoot, 'layers', '77', 'fs'), { recursive: true });
  writeFileSync(join(dataRoot, 'layers', '77', 'fs', 'half'), '');
  mkdirSync(join(dataRoot, 'snapshots', '77', 'upper'), { recursive: true });
  const again = open(dataRoot);
  t.same([readdirSync(join(dataRoot, 'layers')), readdirSync(join(dataRoot, 'snapshots'))], kept);
  t.same(again.layers.get(layer.chainId), layer);
});

t.test(
  'a tar staged without its parent is written again only when it was guessed wrong',
  { skip },
  async (t) => {
    const { layers, snapshots, dataRoot } = open(t.testdir({}));
    const stage = (members: Parameters<typeof makeTar>[0]) => layers.stage(Readable.from([makeTar(members)]));
    const staged = [
      await stage([
        { path: './', type: 'directory', mode: 0o700 },
        { path: 'lib', type: 'symlink', linkPath: 'usr' },
        { path: 'usr', type: 'directory', mode: 0o711, uid: 5 },
        { path: 'usr/sub', type: 'directory', mode: 0o700 },
      ]),
      // Directories that it does not name, there and not there.
      await stage([{ path: 'usr/sub/x' }, { path: 'new/y' }, { path: '.wh.nothing' }]),
      // Leads through a link.
      await stage([{ path: 'lib/z' }]),
      await stage([{ path: 'h', type: 'hardlink', linkPath: 'usr/z' }]),
      // Hides what it would inherit, or takes back what it made.
      await stage([{ path: '.wh.usr' }, { path: 'usr/sub/w' }, { path: 'new/a/b' }, { path: 'new/a' }]),
    ];
    const before = readdirSync(join(dataRoot, 'layers'));
    const stack = await layers.seal(staged, null);
    const after = readdirSync(join(dataRoot, 'layers'));
    t.equal(after.filter((dir) => !before.includes(dir)).length, 3, 'three of five');
    const show = async (index: number) => {
      await snapshots.prepare(`${index}`, stack[index]!.chainId);
      return listing(snapshots.mount(`${index}`));
    };
    t.match((await show(1)).join('|'), 'new d 755 0:0|new/y f 644 0:0|usr d 711 5:0|usr/sub d 700 0:0');
    t.match((await show(3)).join('|'), 'h f 644 0:0');
    t.same(await show(4), [
      ...['h f 644 0:0', 'lib l 777 0:0 usr', 'new d 755 0:0', 'new/a f 644 0:0', 'new/y f 644 0:0'],
      ...['usr d 755 0:0', 'usr/sub d 755 0:0', 'usr/sub/w f 644 0:0'],
    ]);
    t.equal(inMount(snapshots.mount('4'), 'stat -c %a .'), '700\n', 'the root is inherited too');
  },
);

t.test('a collection takes what nobody holds, and leaves what somebody does', { skip }, async (t) => {
  const { layers, leases } = open(t.testdir({}));
  const commit = (path: string, parent: Digest | null, lease: Lease) =>
    layers.commitTar(Readable.from([makeTar([{ path }])]), parent, lease);
  const [mine, others] = [leases.open(), leases.open()];
  const base = await commit('base', null, mine);
  const top = await commit('top', base.chainId, others);
  const loose = await commit('loose', base.chainId, others);
  others[Symbol.dispose]();
  mine.hold(top.chainId);
  t.same(await layers.collect(), [loose.chainId], 'no lease waits for another');
  mine[Symbol.dispose]();
  t.same(await layers.collect(), [top.chainId, base.chainId]);
});

t.test('layers of an engine that did not remember their length are measured', { skip }, async (t) => {
  const { layers, dataRoot, leases } = open(t.testdir({}));
  using lease = leases.open();
  const tar = makeTar([{ path: 'a', content: 'a' }]);
  const { chainId } = await layers.commitTar(Readable.from([tar]), null, lease);
  t.equal(layers.tarSize(chainId), tar.length);
  const db = openDatabase(enginePaths(dataRoot, '/').database);
  db.exec('UPDATE layers SET tar_size = NULL');
  await layers.measure();
  t.equal(layers.tarSize(chainId), tar.length);
  db.close();
});

t.test('a stack of 128 layers can be mounted', { skip }, async (t) => {
  const { layers, snapshots } = open(t.testdir({}));
  const staged = [];
  for (let i = 0; i < 128; i++) {
    staged.push(await layers.stage(Readable.from([makeTar([{ path: `f${i}`, content: `${i}` }])])));
  }
  const stack = await layers.seal(staged, null);
  await snapshots.prepare('x', stack.at(-1)!.chainId);
  t.equal(listing(snapshots.mount('x')).length, 128);
});
