import t from 'tap';
import { ignoreLines, ignoreRules } from '../../../../guest/builder/dockerfile/ignore.ts';

/** From the rules that moby's patternmatcher documents. */
const table: readonly (readonly [lines: string, excluded: string, kept: string])[] = [
  ['*.md', 'a.md', 'd/a.md a.mdx'],
  ['**/*.md', 'a.md d/a.md d/e/a.md', 'a.mdx'],
  ['*.md\n!README.md', 'a.md', 'README.md'],
  ['*.md\n!README*.md\nREADME-secret.md', 'a.md README-secret.md', 'README.md README-b.md'],
  ['node_modules', 'node_modules node_modules/a/b', 'd/node_modules node_modulesx'],
  ['a/*/c', 'a/b/c a/b/c/d', 'a/c a/b/d'],
  ['/abs/', 'abs abs/x', 'x/abs'],
  ['./dot//x/../y', 'dot/y', 'dot/x'],
  ['[x-z]*', 'xray zebra', 'alpha'],
  ['[^x]b', 'ab', 'xb'],
  ['*\n!keep', 'a', 'keep keep/x'],
  ['dir\n!dir/keep', 'dir/a', 'dir/keep dir/keep/x'],
  ['temp?', 'tempa', 'temp tempab'],
  ['a\\*b', 'a*b', 'axb'],
  ['**', 'a a/b', ''],
  ['a/**', 'a/b a/b/c', 'b'],
  ['# comment\n\n  sp  ', 'sp', '#'],
];

for (const [lines, excluded, kept] of table) {
  t.test(`${JSON.stringify(lines)}`, async (t) => {
    const rules = ignoreRules(ignoreLines(lines));
    for (const path of excluded.split(' ').filter(Boolean)) t.ok(rules.excludes(path), `excludes ${path}`);
    for (const path of kept.split(' ').filter(Boolean)) t.notOk(rules.excludes(path), `keeps ${path}`);
  });
}

t.test('a directory is looked into when something below it is taken back', async (t) => {
  t.notOk(ignoreRules(['dir', '!dir/keep']).excludesAll('dir'));
  t.notOk(ignoreRules(['dir', '!**/keep']).excludesAll('dir'));
  t.ok(ignoreRules(['dir', '!other/keep']).excludesAll('dir'));
});

t.test('patterns that are none are refused', async (t) => {
  t.throws(() => ignoreRules(['a[b']), /syntax error in pattern/);
  t.throws(() => ignoreRules(['!']), { name: 'BuildError', message: /illegal exclusion pattern/ });
});
