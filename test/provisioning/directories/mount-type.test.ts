import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { HostShare } from '../../../drivers/driver.ts';
import { FailedPrecondition, InvalidArgument } from '../../../drivers/errors.ts';
import { chooseMountType, sharesOf } from '../../../provisioning/directories/mount-type.ts';

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
  t.same(await chooseMountType({ name: 'none' }, Mounts, 'sftp'), { type: 'sftp', fallback: null });
  t.same(await chooseMountType(able, [], 'virtiofs'), { type: 'virtiofs', fallback: null });
  t.same(asked, [], 'nothing is shared, so nothing is needed');
  await chooseMountType(able, Mounts, 'virtiofs');
  t.equal(asked.length, 1);
  await t.rejects(chooseMountType({ name: 'none' }, Mounts, 'virtiofs'), {
    constructor: InvalidArgument,
    message: 'machines of driver none cannot have --mount-type virtiofs; leave it out',
  });
  const gone = [{ Host: join(t.testdir({}), 'gone'), Guest: '/x', ReadOnly: false }];
  await t.rejects(chooseMountType(able, gone, 'virtiofs'), {
    constructor: FailedPrecondition,
    message: /gone", which the machine shares, is not there; make it/,
  });
});

t.test('auto is virtiofs where that can be, else SFTP and why', async (t) => {
  const Mounts = [{ Host: t.testdir({}), Guest: '/x', ReadOnly: false }];
  const failing = (error: Error) => ({ name: 'qemu', checkShares: () => Promise.reject(error) });
  t.same(await chooseMountType({ name: 'able', checkShares: async () => {} }, Mounts, 'auto'), {
    type: 'virtiofs',
    fallback: null,
  });
  const none = new FailedPrecondition('this computer has no virtiofsd');
  t.same(await chooseMountType(failing(none), Mounts, 'auto'), {
    type: 'sftp',
    fallback: 'directories are shared by sftp: this computer has no virtiofsd',
  });
  t.match(await chooseMountType({ name: 'none' }, Mounts, 'auto'), { type: 'sftp', fallback: /driver none/ });
  await t.rejects(chooseMountType(failing(new TypeError('a defect')), Mounts, 'auto'), {
    message: 'a defect',
  });
});
