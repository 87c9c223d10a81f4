import t from 'tap';
import { PreCreateError } from '../../../drivers/errors.ts';
import { findProgram, parseVersion } from '../../../drivers/qemu/binary.ts';

t.test('versions of distributions and of Windows are read', async (t) => {
  const table = [
    ['QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)', { text: '7.2.22', major: 7, minor: 2 }],
    ['QEMU emulator version 10.1.0 (v10.1.0-12095-g123)', { text: '10.1.0', major: 10, minor: 1 }],
    ['qemu-img version 9.2.0', { text: '9.2.0', major: 9, minor: 2 }],
  ] as const;
  for (const [output, version] of table) t.same(parseVersion(output), version);
  t.equal(parseVersion('not QEMU'), null);
});

t.test('a missing program is an error that says what to type', async (t) => {
  const env = { PATH: '/nowhere' };
  await t.rejects(findProgram('qemu-img', env, 'darwin'), /brew install qemu/);
  await t.rejects(findProgram('qemu-img', env, 'win32'), /winget install/);
  await t.rejects(findProgram('qemu-img', env, 'linux'), PreCreateError);
});

t.test('a program is found by PATH', async (t) => {
  t.equal(await findProgram('sh', { PATH: '/nowhere:/bin' }), '/bin/sh');
});
