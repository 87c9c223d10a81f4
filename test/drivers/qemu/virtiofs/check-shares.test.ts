import t from 'tap';
import { FailedPrecondition } from '../../../../drivers/errors.ts';
import { checkShares } from '../../../../drivers/qemu/virtiofs/check-shares.ts';

const shares = (count: number) => Array(count).fill({ directory: '/x', readonly: false });
const find = async () => '/usr/libexec/virtiofsd';

t.test('eight directories, on Linux, with a virtiofsd', async (t) => {
  await checkShares(shares(8), { platform: 'linux', find });
  const refused = async (count: number, platform: NodeJS.Platform, message: RegExp) =>
    t.rejects(checkShares(shares(count), { platform, find }), { constructor: FailedPrecondition, message });
  await refused(9, 'linux', /8 directories at most, and these are 9; say --mount-type sftp/);
  await refused(1, 'darwin', /for Linux; say --mount-type sftp/);
  const none = async () => Promise.reject(new FailedPrecondition('none'));
  await t.rejects(checkShares(shares(1), { platform: 'linux', find: none }), { message: 'none' });
});
