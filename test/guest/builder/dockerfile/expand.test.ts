import t from 'tap';
import { expandWord, expandWords } from '../../../../guest/builder/dockerfile/expand.ts';

const env: Readonly<Record<string, string>> = { A: 'hello', EMPTY: '', TWO: '1 2', V: 'v1.2.3' };
const options = { mark: '\\', lookup: (name: string) => env[name] };

const words: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['$A', 'hello'],
  ['${A}x', 'hellox'],
  ['$A_', ''],
  ['${UNSET:-d}', 'd'],
  ['${EMPTY:-d}', 'd'],
  ['${EMPTY-d}', ''],
  ['${UNSET-d}', 'd'],
  ['${A:+y}', 'y'],
  ['${EMPTY:+y}', ''],
  ['${EMPTY+y}', 'y'],
  ['${A:?must be set}', 'hello'],
  ['${UNSET:-${A}}', 'hello'],
  ['${UNSET:-"a b"}', 'a b'],
  ['"$A b"', 'hello b'],
  ["'$A'", '$A'],
  ['\\$A', '$A'],
  ['"\\$A \\n"', '$A \\n'],
  ['${V#v}', '1.2.3'],
  ['${V#*.}', '2.3'],
  ['${V##*.}', '3'],
  ['${V%.*}', 'v1.2'],
  ['${V%%.*}', 'v1'],
  ['${V/./-}', 'v1-2.3'],
  ['${V//./-}', 'v1-2-3'],
  ['${V//./}', 'v123'],
  ['$', '$'],
  ['a$', 'a$'],
  ['5$-x', '5x'],
];

for (const [word, expected] of words) {
  t.test(`${word} becomes ${expected}`, async (t) => t.equal(expandWord(word, options), expected));
}

const refused: readonly (readonly [string, string])[] = [
  ['${UNSET:?must be set}', 'UNSET: must be set'],
  ['${A', "syntax error: missing '}'"],
  ['${}', 'syntax error: bad substitution'],
  ['${A^}', 'unsupported modifier (^) in substitution'],
  ['${A:x}', 'unsupported modifier (:x) in substitution'],
  ['"$A', 'unexpected end of statement while looking for matching double-quote'],
  ["'$A", 'unexpected end of statement while looking for matching single-quote'],
];

for (const [word, message] of refused) {
  t.test(`${word} is refused`, async (t) => {
    t.throws(() => expandWord(word, options), { message });
  });
}

t.test('a value with spaces becomes several words unless it is quoted', async (t) => {
  t.same(expandWords('$TWO "b c" d\\ e', options), ['1', '2', 'b c', 'd e']);
  t.same(expandWords('"$TWO"', options), ['1 2']);
});

t.test('a back tick escapes where the Dockerfile says so', async (t) => {
  t.equal(expandWord('`$A\\b', { ...options, mark: '`' }), '$A\\b');
});
