import { spawnSync } from 'node:child_process';
import t from 'tap';
import { compareVersions, versionSatisfies } from '../../../images/debian/version.ts';
import { lacks } from '../support/programs.ts';

const pairs = [
  ['1.0', '<', '1.1'],
  ['1.9', '<', '1.10'],
  ['1.0~rc1', '<', '1.0'],
  ['1.0~~', '<', '1.0~'],
  ['1.0~rc1-1', '<', '1.0-0.1'],
  ['2.0', '<', '1:0.1'],
  ['1.0-1', '<', '1.0-1+b1'],
  ['1.0', '=', '1.0-0'],
  ['1.0a', '<', '1.0+'],
  ['1.0a', '<', '1.0b'],
  ['001', '=', '1'],
  ['0.3+deb12u1', '<', '0.3+deb13u1'],
  ['1.2-3', '<', '1.2-10'],
  ['1-2-3', '>', '1-1-9'],
  ['20250520000000000001', '>', '20250520000000000000'],
  ['1:1.37.0-6+b9', '=', '1:1.37.0-6+b9'],
  ['1.0.', '>', '1.0'],
  ['1.a', '<', '1.+'],
] as const;

t.test('versions are ordered as Debian policy says', async (t) => {
  for (const [a, order, b] of pairs) {
    const expected = order === '<' ? -1 : order === '>' ? 1 : 0;
    t.equal(Math.sign(compareVersions(a, b)), expected, `${a} ${order} ${b}`);
    t.equal(Math.sign(compareVersions(b, a)) + 0, -expected + 0, `${b} against ${a}`);
  }
});

t.test('versions are ordered as dpkg orders them', { skip: lacks('dpkg') }, async (t) => {
  for (const [a, , b] of pairs) {
    const order = compareVersions(a, b);
    const operator = order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq';
    t.equal(spawnSync('dpkg', ['--compare-versions', a, operator, b]).status, 0, `${a} ${operator} ${b}`);
  }
});

t.test('every operator of a dependency is understood', async (t) => {
  t.ok(versionSatisfies('1.0', '<<', '1.1'));
  t.notOk(versionSatisfies('1.0', '<<', '1.0'));
  t.ok(versionSatisfies('1.0', '<=', '1.0'));
  t.ok(versionSatisfies('1.0', '=', '1.0'));
  t.ok(versionSatisfies('1.0', '>=', '1.0~rc1'));
  t.notOk(versionSatisfies('1.0', '>>', '1.0'));
});
