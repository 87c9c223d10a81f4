import { chmod, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import { socketDirectoryFor, socketPath } from '../../../drivers/qemu/paths.ts';
import { makeSocketDirectory } from '../../../drivers/socket-path.ts';

t.test('sockets are in the machine directory as long as they fit', async (t) => {
  t.equal(socketDirectoryFor('/home/u/.machine/machines/dev', '/tmp'), null);
  const deep = `/home/${'d'.repeat(100)}/dev`;
  const elsewhere = socketDirectoryFor(deep, '/tmp');
  t.match(elsewhere, /^\/tmp\/machine-[0-9a-f]{16}$/);
  t.equal(socketDirectoryFor(deep, '/tmp'), elsewhere, 'the same for the same machine');
  t.not(socketDirectoryFor(`${deep}2`, '/tmp'), elsewhere);
  t.equal(socketPath(elsewhere!, 'qmp'), `${elsewhere}/qmp.sock`);
  t.throws(() => socketPath(deep, 'qmp'), FailedPrecondition);
});

t.test('length is counted in bytes', async (t) => {
  t.not(socketDirectoryFor(`/${'ü'.repeat(48)}`, '/tmp'), null);
});

t.test('a directory for sockets is ours alone, or refused', async (t) => {
  const base = await mkdtemp(join(tmpdir(), 'machine-sockets-'));
  t.teardown(() => rm(base, { recursive: true }));
  const path = join(base, 'own');
  await makeSocketDirectory(path);
  await makeSocketDirectory(path);
  t.equal((await stat(path)).mode & 0o777, 0o700);
  await chmod(path, 0o755);
  await t.rejects(makeSocketDirectory(path), FailedPrecondition);
  await mkdir(join(base, 'theirs'), { mode: 0o700 });
  await symlink(join(base, 'theirs'), join(base, 'link'));
  await t.rejects(makeSocketDirectory(join(base, 'link')), FailedPrecondition, 'a link is not followed');
});
