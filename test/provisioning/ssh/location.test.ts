import { resolve } from 'node:path';
import t from 'tap';
import { InvalidArgument } from '../../../drivers/errors.ts';
import { type Location, parseLocation, programLocation } from '../../../provisioning/ssh/location.ts';

const of = (machine: string | null, path: string, user: string | null = null): Location => ({
  machine,
  user,
  path,
});

t.test('a place is of a machine when a colon comes before any slash', async (t) => {
  const rows: [text: string, expected: Location, platform?: NodeJS.Platform][] = [
    ['dev:/srv/a b', of('dev', '/srv/a b')],
    ['me@dev:x', of('dev', 'x', 'me')],
    ['dev:', of('dev', '')],
    ['dev:a:b', of('dev', 'a:b')],
    ['dev:a@b:c', of('dev', 'a@b:c')],
    ['a/b:c', of(null, 'a/b:c')],
    ['./dev:x', of(null, './dev:x')],
    ['file', of(null, 'file')],
    ['C:\\x', of('C', '\\x')],
    ['C:\\x', of(null, 'C:\\x'), 'win32'],
    ['dev:C:\\x', of('dev', 'C:\\x'), 'win32'],
    ['.\\dev:x', of(null, '.\\dev:x'), 'win32'],
  ];
  for (const [text, expected, platform = 'linux'] of rows)
    t.same(parseLocation(text, platform), expected, text);
  for (const text of ['', ':x', 'me@:x'])
    t.throws(() => parseLocation(text, 'linux'), { name: InvalidArgument.name }, text);
});

t.test('programs take a path of this computer for nothing else', async (t) => {
  t.equal(programLocation(of('dev', '/a b', 'me'), 'machine-dev'), 'me@machine-dev:/a b');
  t.equal(programLocation(of('dev', ''), 'machine-dev'), 'machine-dev:');
  t.equal(programLocation(of(null, '-rf'), null), resolve('-rf'));
  t.equal(programLocation(of(null, 'a:b'), null), resolve('a:b'));
  t.equal(programLocation(of(null, 'dir/'), null), `${resolve('dir')}/`, 'for rsync: what is in it');
  t.equal(programLocation(of(null, '/'), null), resolve('/'));
});
