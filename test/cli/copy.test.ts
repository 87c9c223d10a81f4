import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { howToInstall } from '../../cli/host-program.ts';
import { runMachine } from './run-machine.ts';

t.test('copying and mounting say what is wrong before they begin', { timeout: 60_000 }, async (t) => {
  const store = t.testdir({ here: {} });
  t.equal((await runMachine(store, ['create', '-d', 'fake', 'dev'])).exitCode, 0);
  const rows: [string[], RegExp][] = [
    [['scp', 'a'], /missing required argument 'to'/],
    [['scp', 'nope:a', 'b'], /machine "nope" does not exist/],
    [['scp', ':a', 'b'], /":a" names no machine/],
    [['scp', 'a', 'dev:b'], /gives machine "dev" no SSH server/],
    [['--native-ssh', 'scp', '-d', 'a', 'dev:b'], /leave out --native-ssh/],
    [['--native-ssh', 'scp', join(store, 'no'), join(store, 'x')], /no: No such file or directory/],
    [['mount', 'dev:'], /"dev:" has no path to mount at; machine mount dev: DIRECTORY/],
    [['mount', 'dev:/x', join(store, 'no dir')], /there is no directory ".*no dir" to mount at; mkdir -p/],
    [['mount', 'dev:/x', join(store, 'here')], /gives machine "dev" no SSH server/],
    [['mount', '/x', join(store, 'here')], /no "default" machine exists/],
  ];
  for (const [args, stderr] of rows)
    t.match(await runMachine(store, args), { exitCode: 1, stdout: '', stderr }, args.join(' '));
});

t.test('without the program, an error says what to install', { timeout: 30_000 }, async (t) => {
  const store = t.testdir({ a: 'x', empty: {} });
  const env = { PATH: join(store, 'empty') };
  const delta = await runMachine(store, ['scp', '-d', join(store, 'a'), join(store, 'b')], { env });
  t.equal(delta.exitCode, 1);
  t.match(delta.stderr, 'machine scp -d needs the program rsync, which this computer has not; install it');
  const copied = await runMachine(store, ['scp', join(store, 'a'), join(store, 'b')], { env });
  t.match(copied, { exitCode: 0, stderr: '' }, 'scp is not needed');
  t.equal(await readFile(join(store, 'b'), 'utf8'), 'x');
  t.match(await runMachine(store, ['mount', '-u', join(store, 'empty')], { env }), {
    exitCode: 1,
    stderr: /has none of .*umount to unmount with/,
  });
  t.match(howToInstall('sshfs', 'linux'), 'apt-get install sshfs');
  t.match(howToInstall('sshfs', 'darwin'), 'macFUSE');
  t.match(howToInstall('sshfs', 'win32'), 'machine scp');
});
