import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import t, { type Test } from 'tap';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import { MachineStore } from '../../../provisioning/machine-store.ts';
import { storePaths } from '../../../provisioning/paths.ts';
import { connectSsh } from '../../../provisioning/ssh/connection.ts';
import { copyFiles, type End } from '../../../provisioning/ssh/copy/copy-files.ts';
import { localFiles } from '../../../provisioning/ssh/copy/local-files.ts';
import { remoteFiles } from '../../../provisioning/ssh/copy/remote-files.ts';
import { isNewEnough } from '../../../provisioning/ssh/copy/scp-version.ts';
import { sshMaterial } from '../../../provisioning/ssh/keys.ts';
import { localSshTarget } from '../../helpers/local-ssh-target.ts';

const sftpServer = ['/usr/lib/openssh/sftp-server', '/usr/libexec/sftp-server', '/usr/lib/sftp-server'].find(
  (path) => existsSync(path),
);

/** Files of an SSH server with OpenSSH's SFTP server, which is at home in `home`. */
async function serve(t: Test, store: MachineStore, home: string) {
  const paths = store.machine('dev');
  const { hostKey } = await sshMaterial(paths, 'dev');
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => {
      accept().on('subsystem', (acceptSubsystem) => {
        const channel = acceptSubsystem();
        const child = spawn(sftpServer!, ['-d', home], { stdio: ['pipe', 'pipe', 'ignore'] });
        channel.pipe(child.stdin);
        child.stdout.pipe(channel);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = await connectSsh(localSshTarget(paths, port));
  t.teardown(async () => {
    await connection[Symbol.asyncDispose]();
    server.close();
  });
  return await remoteFiles(connection, 'dev');
}

t.test('files are copied as scp does', { skip: sftpServer ? false : 'no sftp-server' }, async (t) => {
  const root = t.testdir({ here: {}, there: {} });
  const [here, there] = [join(root, 'here'), join(root, 'there')];
  const store = new MachineStore(storePaths(join(root, 'store')));
  await store.makeDirectory('dev');
  const files = await serve(t, store, there);
  const local = (path: string): End => ({ files: localFiles, path: join(here, path) });
  const remote = (path: string): End => ({ files, path });
  const plain = { recursive: false };
  const whole = { recursive: true };
  const bytes = randomBytes(300_000);
  await mkdir(join(here, 'a dir', 'ü', 'empty'), { recursive: true });
  await writeFile(join(here, 'a dir', 'ü', 'large'), bytes);
  await writeFile(join(here, 'a dir', 'program'), '#!/bin/sh\n', { mode: 0o755 });
  await symlink('program', join(here, 'a dir', 'link'));

  await t.test('to a machine and back, directories with all that is in them', async (t) => {
    await copyFiles(local('a dir'), remote('.'), whole);
    t.ok(bytes.equals(await readFile(join(there, 'a dir', 'ü', 'large'))), 'into a directory that is there');
    t.same(await readdir(join(there, 'a dir', 'ü', 'empty')), []);
    t.equal((await stat(join(there, 'a dir', 'program'))).mode & 0o777, 0o755);
    t.equal(
      await readFile(join(there, 'a dir', 'link'), 'utf8'),
      '#!/bin/sh\n',
      'links as what they lead to',
    );
    await copyFiles(remote('a dir'), local('back'), whole);
    t.ok(bytes.equals(await readFile(join(here, 'back', 'ü', 'large'))), 'as one that is not there');
    t.equal((await stat(join(here, 'back', 'program'))).mode & 0o777, 0o755);
  });

  await t.test('over what is there, which keeps its mode', async (t) => {
    await writeFile(join(there, 'old'), 'a longer old text', { mode: 0o600 });
    await copyFiles(local('a dir/program'), remote('old'), plain);
    t.equal(await readFile(join(there, 'old'), 'utf8'), '#!/bin/sh\n');
    t.equal((await stat(join(there, 'old'))).mode & 0o777, 0o600);
    await copyFiles(local('a dir'), remote('.'), whole);
    t.same((await readdir(join(there, 'a dir'))).sort(), ['link', 'program', 'ü']);
  });

  await t.test('from one machine to another', async (t) => {
    const second = await serve(t, store, here);
    await copyFiles(remote('a dir'), { files: second, path: 'through' }, whole);
    t.ok(bytes.equals(await readFile(join(here, 'through', 'ü', 'large'))));
  });

  await t.test('or it is said why not', async (t) => {
    const rows: [End, End, RegExp][] = [
      [remote('no such'), local('x'), /^dev:no such: No such file or directory$/],
      [local('no such'), remote('x'), /no such: No such file or directory$/],
      [remote('a dir'), local('x'), /^dev:a dir is a directory; -r copies it$/],
      [local('a dir/program'), remote('no/such/x'), /^dev:no\/such\/x: /],
    ];
    for (const [from, to, message] of rows)
      await t.rejects(
        copyFiles(from, to, plain),
        { name: FailedPrecondition.name, message },
        String(message),
      );
    t.notOk(existsSync(join(here, 'x')));
  });
});

t.test('an OpenSSH whose scp speaks SFTP is known by what ssh -V says', async (t) => {
  for (const [text, expected] of [
    ['OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19', true],
    ['OpenSSH_8.7p1, OpenSSL 3.0.7', true],
    ['OpenSSH_10.0p2, LibreSSL 3.3.6', true],
    ['OpenSSH_for_Windows_8.1p1, LibreSSL 3.0.2', false],
    ['OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2', true],
    ['OpenSSH_7.9p1', false],
    ['Dropbear v2022.83', false],
  ] as const)
    t.equal(isNewEnough(text), expected, text);
});
