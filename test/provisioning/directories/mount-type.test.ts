import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { HostShare } from '../../../drivers/driver.ts';
import { FailedPrecondition, InvalidArgument } from '../../../drivers/errors.ts';
import { checkMountType, sharesOf } from '../../../provisioning/directories/mount-type.ts';

t.test('only by virtiofs a driver gets directories, without links in their paths', async (t) => {
  const root = t.testdir({ real: {} });
  await symlink(join(root, 'real'), join(root, 'link'));
  const Mounts = [{ Host: join(root, 'link'), Guest: '/x', ReadOnly: true }];
  t.same(await sharesOf({ Mounts, MountType: 'sftp' }), []);
  t.same(await sharesOf({ Mounts, MountType: 'virtiofs' }), [
    { directory: join(root, 'real'), readonly: true },
  ]);
});

t.test('what cannot be is said before anything is made', async (t) => {
  const asked: HostShare[][] = [];
  const able = {
    name: 'able',
    checkShares: async (shares: readonly HostShare[]) => void asked.push([...shares]),
  };
  const Mounts = [{ Host: t.testdir({}), Guest: '/x', ReadOnly: false }];
  await checkMountType({ name: 'none' }, { Mounts, MountType: 'sftp' });
  await checkMountType(able, { Mounts: [], MountType: 'virtiofs' });
  t.same(asked, [], 'nothing is shared, so nothing is needed');
  await checkMountType(able, { Mounts, MountType: 'virtiofs' });
  t.equal(asked.length, 1);
  await t.rejects(checkMountType({ name: 'none' }, { Mounts, MountType: 'virtiofs' }), {
    constructor: InvalidArgument,
    message: 'machines of driver none cannot have --mount-type virtiofs; leave it out',
  });
  const gone = [{ Host: join(t.testdir({}), 'gone'), Guest: '/x', ReadOnly: false }];
  await t.rejects(checkMountType(able, { Mounts: gone, MountType: 'virtiofs' }), {
    constructor: FailedPrecondition,
    message: /gone", which the machine shares, is not there; make it/,
  });
});
