import t from 'tap';
import { matchingNames } from '../../../guest/images/filter.ts';
import { familiarReference, parseReference } from '../../../guest/reference.ts';

const names = ['busybox:latest', 'busybox:1.36', 'me/tool:v2', 'localhost:5000/x:1'].map(parseReference);
const shown = (...patterns: string[]) =>
  matchingNames(names, new Map([['reference', patterns]])).map(familiarReference);

t.test("names are found by Go's path patterns, with or without the tag", async (t) => {
  t.same(shown('busybox'), ['busybox:latest', 'busybox:1.36']);
  t.same(shown('busy*:l*'), ['busybox:latest']);
  t.same(shown('*'), ['busybox:latest', 'busybox:1.36'], 'a star stops at slashes');
  t.same(shown('*/*'), ['me/tool:v2', 'localhost:5000/x:1']);
  t.same(shown('b[a-z]sybo?:1.36', 'me/[^a]ool'), ['busybox:1.36', 'me/tool:v2']);
  t.same(shown('busybo[^x]'), []);
  t.same(shown('busybox:1\\.36'), ['busybox:1.36']);
  t.same(shown('busybox.'), [], 'a dot is a dot');
});

t.test('a pattern that is none is refused', async (t) => {
  for (const pattern of ['[', 'a[b', 'x\\', '[z-a]']) {
    t.throws(() => shown(pattern), { name: 'InvalidParameter', message: /reference=/ }, pattern);
  }
});
