import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { InvalidArgument } from '../../../drivers/errors.ts';
import { copyCommand } from '../../../provisioning/ssh/copy/command.ts';
import { sshfsCommand, unmountCommands } from '../../../provisioning/ssh/sshfs.ts';
import { sshConfig } from '../../../provisioning/ssh/system-ssh.ts';
import type { SshTarget } from '../../../provisioning/ssh/target.ts';
import { runCommand } from '../../helpers/run-command.ts';

const target = (name: string, port: number): SshTarget => ({
  host: '127.0.0.1',
  port,
  user: 'root',
  identity: `/a b/100%/${name}/id`,
  knownHosts: `/a b/100%/${name}/known_hosts`,
  alias: `machine-${name}`,
});
const nothing = { recursive: false, delta: false, quiet: false };

t.test('OpenSSH reads a configuration with several machines', { skip: await withoutSsh() }, async (t) => {
  const file = join(t.testdir(), 'ssh_config');
  await writeFile(file, sshConfig([target('dev', 2201), target('other', 2202)]));
  for (const [name, port] of [
    ['dev', 2201],
    ['other', 2202],
  ] as const) {
    const { stdout, stderr } = await runCommand('ssh', ['-G', '-F', file, `machine-${name}`]);
    for (const line of [
      'hostname 127.0.0.1',
      `port ${port}`,
      'user root',
      'stricthostkeychecking true',
      'identitiesonly yes',
      'passwordauthentication no',
      `hostkeyalias machine-${name}`,
      `userknownhostsfile /a b/100%/${name}/known_hosts`,
    ])
      t.ok(stdout.split('\n').includes(line), `${line}: ${stderr}`);
    t.match(stdout, new RegExp(`^identityfile /a b/100%%?/${name}/id$`, 'm'));
  }
});

t.test('scp speaks SFTP, and what is between two machines comes through here', async (t) => {
  const [from, to] = ['machine-dev:/x', '/y'];
  t.same(copyCommand({ from, to, betweenMachines: false }, nothing, '/c'), {
    program: 'scp',
    args: ['-F', '/c', '-s', '--', from, to],
  });
  t.same(
    copyCommand(
      { from, to: 'machine-b:', betweenMachines: true },
      { ...nothing, recursive: true, quiet: true },
      '/c',
    ),
    { program: 'scp', args: ['-F', '/c', '-s', '-3', '-r', '-q', '--', from, 'machine-b:'] },
  );
});

t.test('rsync sends what differs, by the same ssh', async (t) => {
  const places = { from: '/x', to: 'machine-dev:/y', betweenMachines: false };
  const kept = ['--times', '--perms', '--links'];
  t.same(copyCommand(places, { ...nothing, delta: true }, '/c d'), {
    program: 'rsync',
    args: ['-e', 'ssh -F "/c d"', ...kept, '--progress', '--', '/x', 'machine-dev:/y'],
  });
  const quietly = copyCommand(places, { recursive: true, delta: true, quiet: true }, '/c');
  t.same(quietly.args.slice(2, -3), [...kept, '--recursive', '--quiet']);
  t.throws(() => copyCommand({ ...places, betweenMachines: true }, { ...nothing, delta: true }, '/c'), {
    name: InvalidArgument.name,
    message: /leave out -d/,
  });
});

t.test('a directory is mounted by sshfs, and unmounted by whatever the system has', async (t) => {
  t.same(sshfsCommand('machine-dev:/data', '/mnt', '/c'), {
    program: 'sshfs',
    args: ['-F', '/c', '-o', 'reconnect,idmap=user', 'machine-dev:/data', '/mnt'],
  });
  const programs = (platform: NodeJS.Platform) => unmountCommands('/mnt', platform).map((c) => c.program);
  t.same(programs('linux'), ['fusermount3', 'fusermount', 'umount']);
  t.same(programs('darwin'), ['umount']);
});

async function withoutSsh(): Promise<string | false> {
  const { exitCode } = await runCommand('sh', ['-c', 'command -v ssh']);
  return exitCode === 0 ? false : 'no ssh on this computer';
}
