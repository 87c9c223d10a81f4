import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { DirectoryContext } from '../../../../guest/builder/classic/tar-context.ts';
import { nthChange } from '../../../helpers/nth-change.ts';

t.test('a directory of a context is a context', async (t) => {
  const directory = join(t.testdir(), 'context');
  mkdirSync(join(directory, 'sub', 'dir'), { recursive: true });
  writeFileSync(join(directory, 'sub', 'dir', 'a'), 'A');
  symlinkSync('/sub', join(directory, 'link'));
  symlinkSync('/etc', join(directory, 'out'));
  const whole = new DirectoryContext(directory);
  for (const path of ['sub/dir', '/sub/dir/', './sub/dir', 'link/dir', '../../sub/dir'])
    t.equal(String(await whole.within(path).read('a')), 'A', path);
  t.throws(() => whole.within('nowhere'), { message: /nowhere/ });
  t.throws(() => whole.within('sub/dir/a'));
  t.throws(() => whole.within('out'), 'a link leads nowhere out of it');
  const gone = nthChange(dirname(directory), 1);
  whole[Symbol.dispose]();
  await gone;
  t.notOk(existsSync(directory));
});
