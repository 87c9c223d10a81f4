import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { expandWord, expandWords } from '../../../../guest/builder/dockerfile/expand.ts';

const env: Readonly<Record<string, string>> = { A: 'hello', EMPTY: '', TWO: '1 2', V: 'v1.2.3' };
const options = { mark: '\\', lookup: (name: string) => env[name] };

/** Columns: a word, `=` or `!`, and what becomes of it or the complaint. */
const table = readFileSync(join('test', 'fixtures', 'dockerfile-words.tsv'), 'utf8');

for (const row of table.split('\n').filter(Boolean)) {
  const [word = '', sign, expected = ''] = row.split('\t');
  if (sign === '=') {
    t.test(`${word} becomes ${expected}`, async (t) => t.equal(expandWord(word, options), expected));
  } else {
    t.test(`${word} is refused`, async (t) => {
      t.throws(() => expandWord(word, options), { message: expected });
    });
  }
}

t.test('a value with spaces becomes several words unless it is quoted', async (t) => {
  t.same(expandWords('$TWO "b c" d\\ e', options), ['1', '2', 'b c', 'd e']);
  t.same(expandWords('"$TWO"', options), ['1 2']);
});

t.test('a back tick escapes where the Dockerfile says so', async (t) => {
  t.equal(expandWord('`$A\\b', { ...options, mark: '`' }), '$A\\b');
});
