import { homedir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { guestPath, mountFlagsText, mountsOf, parseMount } from '../../../provisioning/directories/mounts.ts';

const driver = { name: 'qemu', openStream: async () => Promise.reject(new Error('not here')) };
const all = (...mounts: string[]) => ({ add: false, mounts });
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
  t.same(await mountsOf(driver, all('none')), []);
  t.same(
    (await mountsOf(driver, all(`${one}/two`, `${one}:ro`))).map(({ Guest }) => Guest),
    [one, join(one, 'two')],
    'what is below another comes after it',
  );
  await t.rejects(mountsOf(driver, all(join(directory, 'file'))), /no such directory/);
  await t.rejects(mountsOf(driver, all(join(directory, 'missing'))), /no such directory/);
  await t.rejects(mountsOf(driver, all(`${one}:/x`, `${directory}:/x`)), /two directories are to be at \/x/);
  for (const guest of ['/', '/usr', '/proc/x', '/var/lib/machine/x', '/etc'])
    await t.rejects(mountsOf(driver, all(`${one}:${guest}`)), /its own .*--mount/, guest);
});

t.test('what a machine that is there shares from now on', { skip: posixOnly }, async (t) => {
  const directory = t.testdir({ one: { two: {} }, 'a b': {} });
  const at = (name: string, Guest = join(directory, name), ReadOnly = false) => ({
    Host: join(directory, name),
    Guest,
    ReadOnly,
  });
  const before = [at('one/two')];
  const add = (...mounts: string[]) => ({ add: true, mounts });
  t.same(await mountsOf(driver, null, { before }), before, 'the same');
  t.same(await mountsOf(driver, null, { before: [] }), [], 'not the home');
  t.same(await mountsOf(driver, all(), { before }), []);
  t.same(await mountsOf(driver, all(at('a b').Host), { before }), [at('a b')], 'others');
  t.same(
    await mountsOf(driver, add(at('one').Host), { before }),
    [at('one'), ...before],
    'one more, in its place',
  );
  t.same(
    await mountsOf(driver, add(`${at('one/two').Host}:ro`), { before }),
    [at('one/two', undefined, true)],
    'the same in another way',
  );
  t.same(await mountsOf(driver, add('none'), { before }), before);
  t.equal(
    mountFlagsText([at('one'), at('a b', '/x', true)]),
    `--mount ${at('one').Host} --mount "${at('a b').Host}:/x:ro"`,
  );
  t.equal(mountFlagsText([]), '--no-mount');
});

t.test('a driver without a way in shares nothing', async (t) => {
  t.same(await mountsOf({ name: 'none' }, null), []);
  t.same(await mountsOf({ name: 'none' }, all('none')), []);
  await t.rejects(mountsOf({ name: 'none' }, all('/a')), /driver none cannot share directories/);
});
