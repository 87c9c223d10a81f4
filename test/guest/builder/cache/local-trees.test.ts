import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LocalTrees } from '../../../../guest/builder/cache/local-trees.ts';

t.test('a tree is kept by its key, and belongs to one build at a time', async (t) => {
  const trees = new LocalTrees(t.testdir());
  {
    await using first = await trees.take('key');
    writeFileSync(join(first.directory, 'f'), 'content');
    await using other = await trees.take('key');
    t.same(readdirSync(other.directory), [], 'somebody else has it');
    t.same(await trees.records(), [], 'what is taken cannot be pruned');
  }
  {
    await using again = await trees.take('key');
    t.same(readdirSync(again.directory), ['f'], 'what was given back last');
    await using different = await trees.take('another');
    t.same(readdirSync(different.directory), []);
  }
  t.equal((await trees.records()).length, 2);
});

t.test('hashes are kept with their tree', async (t) => {
  const root = t.testdir();
  const trees = new LocalTrees(root);
  {
    await using tree = await trees.take('key');
    t.equal(tree.hashes.size, 0);
    tree.hashes.set('a', '1').set('b', '2');
  }
  {
    await using tree = await new LocalTrees(root).take('key');
    t.same(
      [...tree.hashes],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    );
    tree.hashes.delete('b');
  }
  const [kept] = readdirSync(join(root, 'kept'));
  {
    await using tree = await trees.take('key');
    t.same([...tree.hashes], [['a', '1']]);
  }
  writeFileSync(join(root, 'kept', kept!, 'hashes'), '[["a","1"');
  await using tree = await trees.take('key');
  t.equal(tree.hashes.size, 0, 'half a list is none');
});

t.test('records tell what is kept, and go one by one', async (t) => {
  const trees = new LocalTrees(t.testdir());
  {
    await using tree = await trees.take('key');
    writeFileSync(join(tree.directory, 'f'), 'x'.repeat(5000));
  }
  const [record] = await trees.records();
  t.match(record, { type: 'source.local', inUse: false, sizeBytes: 5000 });
  await trees.remove('../taken');
  await trees.remove(record!.id);
  await trees.remove(record!.id);
  t.same(await trees.records(), []);
});

t.test('trees without a key, and those of a crashed engine, go', async (t) => {
  const root = t.testdir();
  mkdirSync(join(root, 'taken', 'old', 'tree'), { recursive: true });
  const trees = new LocalTrees(root);
  let directory: string;
  {
    await using tree = await trees.take(null);
    directory = tree.directory;
    t.equal(existsSync(directory), true);
  }
  t.equal(existsSync(directory), false);
  t.same(readdirSync(join(root, 'taken')), []);
});
