import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { refuseEscape } from '../../../guest/containers/subpath-escape.ts';

t.test('a link on the way to a path of a volume may not lead out of it', async (t) => {
  const base = t.testdir({ d: { e: {} }, hack: {} });
  const link = (name: string, target: string) => symlinkSync(target, join(base, 'hack', name));
  link('good', '../d');
  link('root', '/');
  link('bad', 'root');
  link('up', '../..');
  link('loop', 'loop');
  link('back', '../d/../hack/good');
  mkdirSync(join(base, '..2'));
  for (const path of ['d', 'd/e', 'hack/good', 'hack/good/e', 'hack/back/e', 'nosuch/x', '..2', '.', 'd/..'])
    t.doesNotThrow(() => refuseEscape(base, path), path);
  for (const path of ['hack/root', 'hack/bad', 'hack/up', 'hack/up/x', 'd/../..'])
    t.throws(
      () => refuseEscape(base, path),
      { message: /^path concatenation escapes the base directory/ },
      path,
    );
  t.throws(() => refuseEscape(base, 'hack/loop'), { message: 'too many symbolic links' });
});
