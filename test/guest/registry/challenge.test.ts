import t from 'tap';
import { parseChallenge } from '../../../guest/registry/challenge.ts';

t.test('challenges are read, and bearer goes before basic', async (t) => {
  const bearer = { scheme: 'bearer', realm: 'https://auth.test/token' };
  const table: [string | undefined, object | null][] = [
    [undefined, null],
    ['', null],
    ['Negotiate', null],
    ['Basic realm="x"', { scheme: 'basic' }],
    ['basic', { scheme: 'basic' }],
    ['Bearer', null],
    ['Bearer realm="https://auth.test/token"', bearer],
    [
      'Bearer realm="https://auth.test/token",service="reg.test",scope="repository:a/b:pull,push"',
      { ...bearer, service: 'reg.test', scope: 'repository:a/b:pull,push' },
    ],
    ['Basic realm="x", Bearer realm="https://auth.test/token", service=reg', { ...bearer, service: 'reg' }],
    ['Bearer realm="a\\"b"', { scheme: 'bearer', realm: 'a"b' }],
    ['bearer REALM = "https://auth.test/token"', bearer],
  ];
  for (const [header, expected] of table) t.same(parseChallenge(header), expected, header ?? 'none');
});

t.test('a hostile challenge costs no time and reaches no prototype', async (t) => {
  const started = performance.now();
  parseChallenge('a="\\'.repeat(100_000));
  parseChallenge('Bearer realm="x", __proto__="y", constructor="z"');
  t.ok(performance.now() - started < 1000);
  t.equal(({} as Record<string, unknown>).y, undefined);
});
