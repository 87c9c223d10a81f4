import t from 'tap';
import { tarMembers } from '../../../guest/layers/tar-members.ts';
import { makeTar } from '../../helpers/tar.ts';

const tar = makeTar([
  { path: 'empty', content: '' },
  { path: 'd', type: 'directory' },
  { path: 'd/a', content: 'a'.repeat(700) },
  { path: 'd/b', content: 'b'.repeat(1500) },
]);

async function* inPieces(length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < tar.length; at += length) yield tar.subarray(at, at + length);
}

for (const length of [1, 100, 512, 4096, tar.length]) {
  t.test(`members and their bodies, in pieces of ${length}`, async (t) => {
    const found: [string, string][] = [];
    for await (const { entry, body } of tarMembers(inPieces(length))) {
      let text = '';
      for await (const bytes of body) text += bytes;
      found.push([entry.path, text]);
    }
    t.strictSame(found, [
      ['empty', ''],
      ['d/', ''],
      ['d/a', 'a'.repeat(700)],
      ['d/b', 'b'.repeat(1500)],
    ]);
  });

  t.test(`bodies that nobody reads, or not to their end, in pieces of ${length}`, async (t) => {
    const found: string[] = [];
    for await (const { entry, body } of tarMembers(inPieces(length))) {
      found.push(entry.path);
      if (entry.path !== 'd/a') continue;
      for await (const _ of body) break;
    }
    t.strictSame(found, ['empty', 'd/', 'd/a', 'd/b']);
  });
}

t.test('a body that has ended stays so', async (t) => {
  for await (const { entry, body } of tarMembers(inPieces(tar.length))) {
    if (entry.path !== 'd/a') continue;
    const iterator = body[Symbol.asyncIterator]();
    while (!(await iterator.next()).done);
    t.equal((await iterator.next()).done, true, 'and takes nothing of the next member');
  }
});

t.test('a tar that ends inside a member is malformed', async (t) => {
  async function* torn(): AsyncGenerator<Buffer> {
    yield tar.subarray(0, 512 * 3 + 10);
  }
  await t.rejects(async () => {
    for await (const _ of tarMembers(torn()));
  }, /malformed tar: unexpected end/);
});
