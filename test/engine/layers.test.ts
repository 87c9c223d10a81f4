import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { OverlayLayerStore } from '../../guest/layers/overlay-layer-store.ts';
import { OverlaySnapshotter } from '../../guest/layers/overlay-snapshotter.ts';
import { openDatabase } from '../../guest/store/database.ts';
import { enginePaths } from '../../guest/store/paths.ts';
import { type LayerSystem, testLayers } from '../conformance/layers.ts';
import { listing, noOverlay } from '../helpers/overlay.ts';
import { makeTar } from '../helpers/tar.ts';

const skip = noOverlay();

function open(dataRoot: string): LayerSystem & { readonly layers: OverlayLayerStore } {
  const paths = enginePaths(dataRoot, join(dataRoot, 'run'));
  const db = openDatabase(paths.database);
  return { layers: new OverlayLayerStore(db, paths), snapshots: new OverlaySnapshotter(db, paths), dataRoot };
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

t.test('a tar staged without its parent is written again when it leans on it', { skip }, async (t) => {
  const { layers } = open(t.testdir({}));
  const stage = (members: Parameters<typeof makeTar>[0]) => layers.stage(Readable.from([makeTar(members)]));
  const base = await stage([
    { path: 'lib', type: 'symlink', linkPath: 'usr' },
    { path: 'usr', type: 'directory' },
  ]);
  const top = await stage([{ path: 'lib/x', content: 'x' }]);
  t.equal(base.needsLower, false);
  t.equal(top.needsLower, true);
  const [, layer] = await layers.seal([base, top], null);
  t.equal(layer!.diffId, top.diffId);
});

t.test('collecting waits while somebody holds new layers', { skip }, async (t) => {
  const { layers } = open(t.testdir({}));
  const hold = layers.hold();
  const layer = await layers.commitTar(Readable.from([makeTar([])]), null);
  await layers.collect();
  t.equal(layers.find(layer.chainId)?.chainId, layer.chainId);
  hold[Symbol.dispose]();
  t.equal(layers.find(layer.chainId), undefined);
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
