import t from 'tap';
import { pruneImages } from '../../guest/images/prune.ts';
import { removeImage } from '../../guest/images/remove.ts';
import { parseReference } from '../../guest/reference.ts';
import { imageSystem } from '../helpers/image-system.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const container = (running: boolean) => ({ id: 'c'.repeat(64), running });
const force = { force: true, prune: true };
const gently = { force: false, prune: true };

t.test('one name of several is only taken off; the last takes the image along', { skip }, async (t) => {
  const system = await imageSystem(t);
  const image = await system.make('a:1');
  system.images.tag(parseReference('b:1'), image.id);
  t.same(await removeImage(system, 'a:1', gently), [{ Untagged: 'a:1' }]);
  t.same(await removeImage(system, 'b:1', gently), [
    { Untagged: 'b:1' },
    { Deleted: image.id },
    { Deleted: image.chainId },
  ]);
  t.throws(() => system.images.resolve('b:1'), { message: 'No such image: b:1' });
  t.same(system.said.slice(-3), [`untag ${image.id}`, `untag ${image.id}`, `delete ${image.id}`]);
});

t.test('digests of a repository go with its last tag', { skip }, async (t) => {
  const system = await imageSystem(t);
  const image = await system.make('a:1');
  const digest = `sha256:${'d'.repeat(64)}`;
  for (const name of [`a@${digest}`, 'a:2', `b@${digest}`]) system.images.tag(parseReference(name), image.id);
  t.same(await removeImage(system, 'a:1', gently), [{ Untagged: 'a:1' }]);
  t.same(await removeImage(system, 'a:2', gently), [{ Untagged: 'a:2' }, { Untagged: `a@${digest}` }]);
  t.match(await removeImage(system, `b@${digest}`, gently), [
    { Untagged: `b@${digest}` },
    { Deleted: image.id },
  ]);
});

t.test('an image of another platform than the one asked for stays', { skip }, async (t) => {
  const system = await imageSystem(t);
  await system.make('a:1');
  const platform = { os: 'linux', architecture: 's390x' };
  await t.rejects(removeImage(system, 'a:1', { ...force, platform }), {
    name: 'NotFound',
    message: /reference a:1 was found but its platform \(linux\/\w+\) does not match .* \(linux\/s390x\)/,
  });
});

t.test("an image that containers use is kept, in dockerd's words", { skip }, async (t) => {
  const system = await imageSystem(t);
  const image = await system.make('a:1');
  const short = image.id.slice(7, 19);
  system.users.set(image.id, [container(false)]);
  await t.rejects(removeImage(system, 'a:1', gently), {
    name: 'Conflict',
    message: `conflict: unable to remove repository reference "a:1" (must force) - container cccccccccccc is using its referenced image ${short}`,
  });
  await t.rejects(removeImage(system, short, gently), {
    message: `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
  });
  system.users.set(image.id, [container(true)]);
  for (const how of [gently, force]) {
    await t.rejects(removeImage(system, image.id, how), {
      message: `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
    });
  }
  t.same(
    await removeImage(system, 'a:1', force),
    [{ Untagged: 'a:1' }],
    'a forced name goes, the image stays',
  );
  t.equal(system.images.resolve(short).id, image.id);
  system.users.set(image.id, [container(false)]);
  t.match(await removeImage(system, short, force), [{ Deleted: image.id }]);
});

t.test('an id with names in several repositories must be forced', { skip }, async (t) => {
  const system = await imageSystem(t);
  const image = await system.make('a:1');
  system.images.tag(parseReference('b:1'), image.id);
  await t.rejects(removeImage(system, image.id, gently), {
    message: `conflict: unable to delete ${image.id.slice(7, 19)} (must be forced) - image is referenced in multiple repositories`,
  });
  t.match(await removeImage(system, image.id, force), [
    { Untagged: 'a:1' },
    { Untagged: 'b:1' },
    { Deleted: image.id },
  ]);
});

t.test('an id prefix finds one image, and says when it fits several', { skip }, async (t) => {
  const system = await imageSystem(t);
  const ids = [];
  for (let i = 0; i < 20; i++) ids.push((await system.make(`a:${i}`)).id);
  const firsts = ids.map((id) => id[7]!);
  const twice = firsts.find((first, i) => firsts.indexOf(first) !== i)!;
  t.throws(() => system.images.resolve(twice), {
    message: /^No such image: .:latest \(several image ids begin with "."\)$/,
  });
  t.equal(system.images.resolve(ids[0]!.slice(7, 30)).id, ids[0]);
  t.equal(system.images.resolve(ids[0]!.slice(0, 30)).id, ids[0]);
  t.equal(system.images.resolve(ids[0]!.slice(7)).id, ids[0]);
});

t.test('prune takes what has no tag, or with dangling=false what no container uses', { skip }, async (t) => {
  const system = await imageSystem(t);
  const used = await system.make('used:1');
  const idle = await system.make('idle:1');
  const dangling = await system.make('moves:1', 'old');
  await system.make('moves:1', 'new!');
  system.users.set(used.id, [container(false)]);
  const first = await pruneImages(system, new Map());
  t.match(first, { removed: [{ Deleted: dangling.id }, { Deleted: dangling.chainId }], reclaimedBytes: 3 });
  const all = await pruneImages(
    system,
    new Map([
      ['dangling', ['false']],
      ['until', ['0s']],
    ]),
    Date.now() + 1000,
  );
  t.equal(all.removed.filter((item) => 'Untagged' in item).length, 2);
  t.throws(() => system.images.resolve(idle.id), { name: 'NotFound' });
  t.equal(system.images.resolve('used:1').id, used.id);
  await t.rejects(pruneImages(system, new Map([['name', ['x']]])), { message: "invalid filter 'name'" });
});
