import { join } from 'node:path';
import t from 'tap';
import { type ImageBetween, ImageStore } from '../../../guest/images/image-store.ts';
import { openDatabase } from '../../../guest/store/database.ts';

const configOf = (author: string) =>
  Buffer.from(
    JSON.stringify({
      ...{ architecture: 'amd64', os: 'linux', author, config: {} },
      rootfs: { type: 'layers', diff_ids: [] },
    }),
  );

t.test('the image of a step is made once, and again when it has gone', async (t) => {
  const images = new ImageStore(openDatabase(join(t.testdir({}), 'db')));
  const base = images.put(configOf('base'));
  const made: string[] = [];
  const put = (parent: ImageBetween['parent'], change: string) =>
    images.putBetween({
      ...{ parent, change },
      config() {
        made.push(change);
        return configOf(change);
      },
    });
  const first = put(base.id, 'one');
  t.equal(images.get(first)?.parent, base.id);
  t.equal(put(base.id, 'one'), first);
  t.same(made, ['one']);
  t.not(put(base.id, 'other'), first);
  const top = put(first, 'on top');
  t.not(top, first);
  t.same(made, ['one', 'other', 'on top'], 'what differs is made');
  put(null, 'from nothing');
  put(null, 'from nothing');
  t.equal(made.length, 5, 'nothing says what is below it');

  for (const id of [top, first]) images.delete(id);
  t.equal(images.get(first), undefined);
  t.equal(put(base.id, 'one'), first);
  t.equal(images.get(first)?.config.author, 'one');
});
