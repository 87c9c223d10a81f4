import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { RawSftp, text } from './raw-sftp.ts';

const extended = 200;
const [ok, failure] = [0, 4];

t.test('names get second ones, but for objects of git, which copies those then', async (t) => {
  const objects = () => ({ '75': { ea55: '' }, pack: { 'pack-1.idx': '' }, other: { name: '' } });
  const root = t.testdir({
    shared: { file: '', objects: objects(), repository: { '.git': { objects: objects() } } },
  });
  const shared = join(root, 'shared');
  await using client = await RawSftp.open(root, { d: shared });
  const link = (from: string) =>
    client.status(extended, text('hardlink@openssh.com'), text(`/d/${from}`), text(`/d/${from}-2`));
  for (const name of ['file', 'objects/other/name', 'repository/.git/objects/other/name']) {
    t.equal(await link(name), ok, name);
    t.equal((await stat(join(shared, name))).nlink, 2);
  }
  for (const name of ['objects/75/ea55', 'repository/.git/objects/75/ea55', 'objects/pack/pack-1.idx'])
    t.equal(await link(name), failure, name);
});
