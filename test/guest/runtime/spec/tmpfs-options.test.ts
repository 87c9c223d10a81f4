import t from 'tap';
import { isSharedTmpfs, tmpfsOptions } from '../../../../guest/runtime/spec/tmpfs-options.ts';

t.test('of words that say the same the last one stays', async (t) => {
  t.same(tmpfsOptions(''), ['noexec', 'nosuid', 'nodev']);
  t.same(tmpfsOptions('exec,size=1m,defaults,size=2m'), ['nosuid', 'nodev', 'exec', 'size=2m']);
  t.same(tmpfsOptions('shared,rprivate'), ['noexec', 'nosuid', 'nodev', 'rprivate']);
  t.equal(isSharedTmpfs('shared'), true);
  t.equal(isSharedTmpfs('shared,private'), false);
});

t.test('a word that tmpfs does not know', async (t) => {
  t.throws(() => tmpfsOptions('bogus'), { message: 'invalid tmpfs option ["bogus"]' });
  t.throws(() => tmpfsOptions('colour=red'), { message: 'invalid tmpfs option ["colour" "red"]' });
});
