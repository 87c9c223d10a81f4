import { homedir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { guestPath, mountsOf, parseMount } from '../../../provisioning/directories/mounts.ts';

const driver = { name: 'qemu', openStream: async () => Promise.reject(new Error('not here')) };
const posixOnly = process.platform === 'win32' ? 'paths of other systems' : false;

t.test('HOST[:GUEST][:ro]', { skip: posixOnly }, async (t) => {
  for (const [given, Host, Guest, ReadOnly] of [
    ['/a/b', '/a/b', '/a/b', false],
    ['/a/b/', '/a/b', '/a/b', false],
    ['/a:ro', '/a', '/a', true],
    ['/a:rw', '/a', '/a', false],
    ['/a:/b', '/a', '/b', false],
    ['/a b/ü:/c/../d/:ro', '/a b/ü', '/d', true],
    ['rel', join(process.cwd(), 'rel'), join(process.cwd(), 'rel'), false],
    ['~/src', join(homedir(), 'src'), join(homedir(), 'src'), false],
  ] as const)
    t.same(parseMount(given), { Host, Guest, ReadOnly }, given);
  for (const wrong of ['', ':', '/a:b', '/a:/b:no', '/a:/b:ro:', 'x\ny'])
    t.throws(() => parseMount(wrong), /HOST\[:GUEST\]/, wrong);
});

t.test('drives of Windows are directories in the guest', async (t) => {
  t.equal(guestPath('C:\\Users\\me'), '/c/Users/me');
  t.equal(guestPath('D:\\'), '/d');
});

t.test('what a machine shares', { skip: posixOnly }, async (t) => {
  const directory = t.testdir({ one: { two: {} }, file: '' });
  const one = join(directory, 'one');
  t.same(
    await mountsOf(driver, null, { home: one }),
    [{ Host: one, Guest: one, ReadOnly: false }],
    'the home',
  );
  t.same(await mountsOf(driver, null, { home: '/' }), [], 'but not one that is no home');
  t.same(await mountsOf(driver, ['none']), []);
  t.same(
    (await mountsOf(driver, [`${one}/two`, `${one}:ro`])).map(({ Guest }) => Guest),
    [one, join(one, 'two')],
    'what is below another comes after it',
  );
  await t.rejects(mountsOf(driver, [join(directory, 'file')]), /no such directory/);
  await t.rejects(mountsOf(driver, [join(directory, 'missing')]), /no such directory/);
  await t.rejects(mountsOf(driver, [`${one}:/x`, `${directory}:/x`]), /two directories are to be at \/x/);
  for (const guest of ['/', '/usr', '/proc/x', '/var/lib/machine/x', '/etc'])
    await t.rejects(mountsOf(driver, [`${one}:${guest}`]), /its own .*--mount/, guest);
});

t.test('a driver without a way in shares nothing', async (t) => {
  t.same(await mountsOf({ name: 'none' }, null), []);
  t.same(await mountsOf({ name: 'none' }, ['none']), []);
  await t.rejects(mountsOf({ name: 'none' }, ['/a']), /driver none cannot share directories/);
});
