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
    [['--native-ssh', 'scp', 'a', 'dev:b'], /leave out --native-ssh/],
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
  for (const [flags, program] of [
    [[], 'scp'],
    [['-d'], 'rsync'],
  ] as const) {
    const args = ['scp', ...flags, join(store, 'a'), join(store, 'b')];
    const { exitCode, stderr } = await runMachine(store, args, { env });
    t.equal(exitCode, 1);
    t.match(stderr, `needs the program ${program}, which this computer has not; install it`);
  }
  t.match(await runMachine(store, ['mount', '-u', join(store, 'empty')], { env }), {
    exitCode: 1,
    stderr: /has none of .*umount to unmount with/,
  });
  t.match(howToInstall('sshfs', 'linux'), 'apt-get install sshfs');
  t.match(howToInstall('sshfs', 'darwin'), 'macFUSE');
  t.match(howToInstall('sshfs', 'win32'), 'machine scp');
});
