import t from 'tap';
import { parseRelations, relationText } from '../../../images/debian/relation.ts';

t.test('a dependency field is read with alternatives, versions and architectures', async (t) => {
  t.strictSame(parseRelations('libc6 (>= 2.38), debconf (>= 0.5) | debconf-2.0, perl:any, g++ ( << 4:15 )'), [
    [{ name: 'libc6', constraint: { operator: '>=', version: '2.38' } }],
    [{ name: 'debconf', constraint: { operator: '>=', version: '0.5' } }, { name: 'debconf-2.0' }],
    [{ name: 'perl' }],
    [{ name: 'g++', constraint: { operator: '<<', version: '4:15' } }],
  ]);
  t.strictSame(parseRelations(''), []);
});

t.test('what is no dependency is an error that shows it', async (t) => {
  t.throws(() => parseRelations('libc6 (~ 1)'), { message: /"libc6 \(~ 1\)"/ });
  t.throws(() => parseRelations('../x'), { message: /"\.\.\/x"/ });
});

t.test('a relation is written as it was read', async (t) => {
  const [[relation]] = parseRelations('libc6 (>= 2.38)') as [[Parameters<typeof relationText>[0]]];
  t.equal(relationText(relation), 'libc6 (>= 2.38)');
});
