import t from 'tap';
import { daemonArgs } from '../../../../drivers/qemu/virtiofs/daemon-args.ts';

const share = { directory: '/home/me', readonly: false };
const common = ['--shared-dir', '/home/me', '--socket-path', '/s', '--log-level', 'warn'];

t.test('a user owns what anybody in the guest makes', async (t) => {
  t.same(daemonArgs({ share, socket: '/s', uid: 1000, gid: 100 }), [
    ...common,
    ...['--translate-uid', 'squash-guest:0:1000:4294967295'],
    ...['--translate-gid', 'squash-guest:0:100:4294967295'],
  ]);
});

t.test('root may have files of others, but no devices', async (t) => {
  t.same(daemonArgs({ share, socket: '/s', uid: 0, gid: 0 }), [...common, '--modcaps=-mknod']);
});

t.test('read-only is kept on this side', async (t) => {
  const readonly = { ...share, readonly: true };
  t.ok(daemonArgs({ share: readonly, socket: '/s', uid: 1000, gid: 100 }).includes('--readonly'));
});
