import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { bootItems, writeBootItems } from '../../../drivers/qemu/boot-items.ts';
import { qemuPaths } from '../../../drivers/qemu/paths.ts';

const config = JSON.stringify({
  version: 1,
  hostname: 'dev',
  ssh: { authorizedKeys: ['ssh-ed25519 AAAA a', 'ssh-ed25519 BBBB b\n'], hostKey: 'KEY' },
  directories: [
    { path: '/home/me', readonly: false },
    { path: '/mnt/with space', readonly: true },
  ],
  directoriesBy: 'sftp',
});

t.test('shell scripts get single values, the agent gets everything', async (t) => {
  t.same(bootItems(config), {
    'opt/machine/boot': config,
    'opt/machine/hostname': 'dev\n',
    'opt/machine/authorized_keys': 'ssh-ed25519 AAAA a\nssh-ed25519 BBBB b\n',
    'opt/machine/ssh_host_key': 'KEY\n',
    'opt/machine/directories': 'rw /home/me\nro /mnt/with space\n',
    'opt/machine/directories-by': 'sftp\n',
  });
});

t.test('items are files that only their owner can read, and only until they are disposed of', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'machine-items-'));
  t.teardown(() => rm(directory, { recursive: true }));
  {
    await using items = await writeBootItems(qemuPaths(directory), bootItems(config));
    const path = items.files['opt/machine/boot']!;
    t.equal(await readFile(path, 'utf8'), config);
    t.equal((await stat(path)).mode & 0o777, 0o600);
  }
  t.same(await readdir(directory), []);
});
