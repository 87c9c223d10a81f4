import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FailedPrecondition } from '../../../../drivers/errors.ts';
import { findDaemon } from '../../../../drivers/qemu/virtiofs/find-daemon.ts';

const skip = process.platform === 'win32' && 'stands in for virtiofsd with shell scripts';
const options = '--translate-uid <TRANSLATE_UID> --readonly';

async function stage(t: Test) {
  const root = t.testdir({ path: {}, libraries: {}, etc: {}, share: {} });
  const directory = (name: string) => join(root, name);
  const program = async (path: string, help: string) => {
    const file = join(root, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, `#!/bin/sh\necho '${help}'\n`);
    await chmod(file, 0o755);
    return file;
  };
  const describe = (place: string, name: string, text: object | '') =>
    writeFile(join(root, place, name), text === '' ? '' : JSON.stringify(text));
  const places = {
    env: { PATH: directory('path') },
    descriptions: [directory('etc'), directory('share')],
    libraries: [directory('libraries')],
  };
  return { program, describe, places };
}

t.test('the first that is new enough, whoever says where it is', { skip }, async (t) => {
  const { program, describe, places } = await stage(t);
  await t.rejects(findDaemon(places), {
    constructor: FailedPrecondition,
    message: /^this computer has no virtiofsd.*install the package virtiofsd.*--mount-type sftp/,
  });
  const library = await program('libraries/virtiofsd', options);
  t.equal(await findDaemon(places), library);

  const binary = await program('elsewhere/virtiofsd', options);
  await describe('share', '50-virtiofsd.json', { type: 'fs', binary });
  t.equal(await findDaemon(places), binary, 'described');
  await describe('share', '10-gpu.json', { type: 'gpu', binary: await program('gpu', options) });
  await describe('share', '20-broken.json', '');
  t.equal(await findDaemon(places), binary, 'other devices are not asked');

  const first = await program('path/virtiofsd', options);
  t.equal(await findDaemon(places), first, 'what the user would run');
});

t.test('an old one is passed over, and named when there is no other', { skip }, async (t) => {
  const { program, places } = await stage(t);
  const old = await program('path/virtiofsd', '-o source=PATH');
  await t.rejects(findDaemon(places), { message: `${old} is older than virtiofsd 1.13` });
  const library = await program('libraries/virtiofsd', options);
  t.equal(await findDaemon(places), library);
});

t.test(
  'a description takes the place of a later one of its name, by being empty too',
  { skip },
  async (t) => {
    const { program, describe, places } = await stage(t);
    await describe('share', '50.json', { type: 'fs', binary: await program('a', options) });
    const mine = await program('b', options);
    await describe('etc', '50.json', { type: 'fs', binary: mine });
    t.equal(await findDaemon(places), mine);
    await describe('etc', '50.json', '');
    await t.rejects(findDaemon(places), { message: /no virtiofsd/ });
  },
);
