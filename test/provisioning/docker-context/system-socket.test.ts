import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import { linkSystemSocket, unlinkSystemSocket } from '../../../provisioning/docker-context/system-socket.ts';
import { MachineStore } from '../../../provisioning/machine-store.ts';
import { storePaths } from '../../../provisioning/paths.ts';
import { apiSocketOf } from '../../../provisioning/supervisor/socket/path.ts';

t.test('the system socket leads to one machine of ours, and is taken from nobody else', async (t) => {
  const root = t.testdir();
  const store = new MachineStore(storePaths(join(root, 's')));
  for (const name of ['dev', 'two']) {
    mkdirSync(store.machine(name).directory, { recursive: true });
    writeFileSync(store.machine(name).config, '{}');
  }
  const path = join(root, 'docker.sock');
  const target = (name: string) => apiSocketOf(store.machine(name)).path;

  await linkSystemSocket(store, 'dev', path);
  t.equal(readlinkSync(path), target('dev'));
  await linkSystemSocket(store, 'two', path);
  t.equal(readlinkSync(path), target('two'));
  t.equal(await unlinkSystemSocket(store, 'dev', path), false, 'it leads to another');
  t.equal(await unlinkSystemSocket(store, 'two', path), true);
  t.notOk(existsSync(path));
  t.equal(await unlinkSystemSocket(store, null, path), false);

  writeFileSync(path, 'an engine');
  await t.rejects(linkSystemSocket(store, 'dev', path), FailedPrecondition);
  await t.rejects(linkSystemSocket(store, 'dev', path), {
    message: `sudo ln -sfn "${target('dev')}" ${path}`,
  });
  t.equal(await unlinkSystemSocket(store, null, path), false);
  t.equal(readFileSync(path, 'utf8'), 'an engine');

  const linked = join(root, 'linked.sock');
  symlinkSync('/elsewhere/docker.sock', linked);
  await t.rejects(linkSystemSocket(store, 'dev', linked), FailedPrecondition);
  t.equal(readlinkSync(linked), '/elsewhere/docker.sock');
});

t.test(
  'without the rights to, it says what to type',
  { skip: !existsSync('/sys/kernel') && 'no sysfs' },
  async (t) => {
    const store = new MachineStore(storePaths(join(t.testdir(), 's')));
    // Nobody makes links there, not even root.
    await t.rejects(linkSystemSocket(store, 'dev', '/sys/docker.sock'), {
      message: /may not be written by you; type: sudo ln -sfn ".*docker\.sock" \/sys\/docker\.sock$/,
    });
  },
);
