import t from 'tap';
import {
  callsAtOnce,
  callsFor,
  callsInThreads,
  hasMounts,
} from '../../../provisioning/directories/sftp/file-calls.ts';

const mountinfo = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
90 22 0:51 / /home/me/nas rw,relatime shared:9 - nfs4 server:/all rw
91 22 0:52 / /home/me/two\\040words/deep rw,nosuid - fuse.sshfs host: rw
`;
const inPlace = (path: string) => hasMounts(mountinfo, Buffer.from(path));

t.test('directories on the way to something mounted are known', async (t) => {
  for (const path of ['/', '/home', '/home/me', '/home/me/two words']) t.ok(inPlace(path), path);
  for (const path of ['/home/me/nas', '/home/me/n', '/home/you', '/home/me/two', '/ho'])
    t.notOk(inPlace(path), path);
});

t.test(
  'what may have to wait for a server is asked by a thread',
  { skip: process.platform !== 'linux' },
  async (t) => {
    t.equal(await callsFor('/proc', Buffer.from('/proc')), callsInThreads, 'no file system of a disk');
    t.equal(await callsFor('/', Buffer.from('/')), callsInThreads, 'things are mounted in it');
    const quiet = t.testdir({});
    const { type } = await import('node:fs/promises').then(({ statfs }) => statfs(quiet));
    if (type === 0xef53) t.equal(await callsFor(quiet, Buffer.from(quiet)), callsAtOnce);
  },
);
