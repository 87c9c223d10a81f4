import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadFirstImages } from '../../guest/images/first-load.ts';
import { removeImage } from '../../guest/images/remove.ts';
import { saveImages } from '../../guest/images/save.ts';
import { selectSaved } from '../../guest/images/select-saved.ts';
import { read } from '../conformance/layers/index.ts';
import { imageSystem } from '../helpers/image-system.ts';
import { inMount, listing, noOverlay } from '../helpers/overlay.ts';

const skip = noOverlay();

t.test('a snapshot becomes an image on top of its own', { skip }, async (t) => {
  const { snapshots, maker, make, images, said } = await imageSystem(t);
  const base = await make('base:1', 'base');
  await snapshots.prepare('c', base.chainId);
  inMount(snapshots.mount('c'), 'rm f; echo new >g');
  const image = await maker.commitSnapshot({
    snapshotKey: 'c',
    parent: base,
    config: { Cmd: ['g'], Labels: { a: 'b' } },
    author: 'me',
    comment: 'why',
    createdBy: 'sh',
    reference: 'mine:1',
  });
  t.match(image.config, { author: 'me', config: { Cmd: ['g'] }, architecture: base.config.architecture });
  t.match(image.config.history, [{}, { author: 'me', comment: 'why', created_by: 'sh' }]);
  t.equal(image.sizeBytes, 'base'.length + 'new\n'.length);
  t.equal(images.resolve('mine:1').id, image.id);
  t.equal(said.at(-1), 'tag mine:1');
  await snapshots.prepare('look', image.chainId);
  t.same(listing(snapshots.mount('look')), ['g f 644 0:0']);
});

t.test('the first images of a data root are loaded once', { skip }, async (t) => {
  const system = await imageSystem(t);
  await system.make('first:1');
  const { images, paths } = system;
  const archive = await read(saveImages(system, selectSaved(images, ['first:1'])));
  writeFileSync(join(paths.dataRoot, 'first.tar'), archive);
  await removeImage(system, 'first:1', { force: false, prune: true });
  await loadFirstImages(system, paths.dataRoot);
  t.equal(images.resolve('first:1').sizeBytes, 'first:1'.length);
  await removeImage(system, 'first:1', { force: false, prune: true });
  await loadFirstImages(system, paths.dataRoot);
  t.throws(() => images.resolve('first:1'), { name: 'NotFound' }, 'what was removed stays away');
});

t.test('a data root without images to load is fine', { skip }, async (t) => {
  const system = await imageSystem(t);
  await loadFirstImages(system, '/nonexistent');
  t.same(system.images.list(), []);
});
