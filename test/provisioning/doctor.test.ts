import t from 'tap';
import { directories } from '../../provisioning/doctor.ts';
import { exampleRecord } from './example-record.ts';

t.test('directories are said with how they get there, and what that does without', async (t) => {
  const Mounts = [{ Host: '/a', Guest: '/a', ReadOnly: false }];
  const record = { ...exampleRecord(), Name: 'dev', Mounts };
  t.same(directories({ ...record, Mounts: [] }), []);
  t.same(directories({ ...record, MountType: 'sftp' }), [
    { name: 'directories', ok: true, detail: '1 by sftp' },
  ]);
  t.match(directories({ ...record, MountType: 'virtiofs' }), [
    { ok: true, detail: /^1 by virtiofs; .*attributes.*machine restart --mount-type sftp dev/ },
  ]);
});
