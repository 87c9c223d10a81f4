import { createHash, randomBytes } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { MountType } from '../../guest/wire/index.ts';
import { gitTools } from '../helpers/git-tools.ts';
import type { CommandResult } from '../helpers/run-command.ts';
import { treeScript } from './as-on-a-disk.ts';
import { MachineHarness } from './machine-harness.ts';

export interface DirectoriesSubject {
  readonly type: MountType;
  /** Of `machine` commands, besides the usual. */
  readonly env?: Readonly<Record<string, string>>;
  /** What is to be said of its directories when a machine has them and nothing else was tried yet. */
  readonly additional?: (t: Test, parts: SuiteParts) => Promise<void>;
}

export interface SuiteParts {
  readonly harness: MachineHarness;
  /** Of this computer, shared by the machine "dev" at the same path. */
  readonly project: string;
  docker(...args: string[]): Promise<CommandResult>;
}

/** What every way of having directories of this computer in a machine is held to. Boots one, "dev". */
export async function testDirectories(
  t: Test,
  { type, env = {}, additional }: DirectoriesSubject,
): Promise<void> {
  const harness = await MachineHarness.open(env);
  const home = await realpath(await mkdtemp(join(tmpdir(), 'home-')));
  const shown = await realpath(await mkdtemp(join(tmpdir(), 'shown-')));
  t.teardown(async () => {
    await harness.close();
    for (const directory of [home, shown]) await rm(directory, { recursive: true });
  });
  await mkdir(join(home, 'project'));
  await writeFile(join(shown, 'file'), 'shown');
  const created = await harness.machine([
    'create',
    '--mount-type',
    type,
    '--mount',
    home,
    '--mount',
    `${shown}:/mnt/shown:ro`,
    'dev',
  ]);
  t.equal(created.exitCode, 0, created.stderr);
  const project = join(home, 'project');
  // Emulated, on a computer that others keep busy, a thousand files take minutes.
  const docker = (...args: string[]) => harness.docker('dev', args, { cwd: project, timeoutMs: 600_000 });
  /** A shell in a new container, in the project. */
  const inProject = (script: string) =>
    docker('run', '--rm', '-v', `${project}:/src`, '-w', '/src', 'busybox', 'sh', '-ec', script);

  await t.test('are in its record', async (t) => {
    const { stdout } = await harness.machine(['inspect', '-f', '{{json .Mounts}}', 'dev']);
    t.same(JSON.parse(stdout), [
      { Host: home, Guest: home, ReadOnly: false },
      { Host: shown, Guest: '/mnt/shown', ReadOnly: true },
    ]);
    t.equal(
      (await harness.machine(['ssh', 'dev', 'ls', home])).stdout,
      'project\n',
      'and at their path in it',
    );
  });

  await t.test('are read and written by containers, in the user’s name', async (t) => {
    await writeFile(join(project, 'from host'), 'hällo\n');
    const { stdout, stderr } = await inProject(
      `cat 'from host'; stat -c %u 'from host'; echo guest >new; mkdir -p 'ü/a b'; echo x >'ü/a b/c'
       ln -s /etc/passwd link; echo one >f; echo two >g; mv g f; cat f; ln f hard; chmod 751 f`,
    );
    t.equal(stdout, `hällo\n${userInfo().uid}\ntwo\n`, stderr);
    t.equal(await readFile(join(project, 'new'), 'utf8'), 'guest\n');
    t.equal((await stat(join(project, 'new'))).uid, userInfo().uid);
    t.equal(await readFile(join(project, 'ü', 'a b', 'c'), 'utf8'), 'x\n');
    t.equal(await readlink(join(project, 'link')), '/etc/passwd');
    const { nlink, mode } = await stat(join(project, 'f'));
    t.same([nlink, mode & 0o777], [2, 0o751]);
  });

  await t.test(
    'take a process that is not root in its container',
    { skip: type === 'virtiofs' && 'by modes, as on this computer' },
    async (t) => {
      const { stdout, stderr } = await docker(
        ...['run', '--rm', '--user', '4711:4711', '-v', `${project}:/src`, 'busybox'],
        ...['sh', '-c', 'echo mine >/src/by-other; cat /src/by-other'],
      );
      t.equal(stdout, 'mine\n', stderr);
      t.equal((await stat(join(project, 'by-other'))).uid, userInfo().uid);
    },
  );

  await t.test('do not lead out by a link that a container makes', async (t) => {
    await symlink(shown, join(project, 'out'));
    const { exitCode, stderr } = await inProject('cat out/file');
    t.not(exitCode, 0);
    t.match(stderr, /No such file|can't open/);
  });

  await t.test('carry 64 MB unharmed', async (t) => {
    const bytes = randomBytes(64 * 1024 ** 2);
    await writeFile(join(project, 'large'), bytes);
    const { stdout } = await inProject('sha256sum <large; cp large copy');
    t.equal(stdout, `${createHash('sha256').update(bytes).digest('hex')}  -\n`);
    t.ok(bytes.equals(await readFile(join(project, 'copy'))));
  });

  await t.test('carry a thousand files', async (t) => {
    const { stdout } = await inProject(
      'mkdir many; i=0; while [ $i -lt 1000 ]; do echo $i >many/$i; i=$((i+1)); done; cat many/* | sort -n | tail -n 1',
    );
    t.equal(stdout, '999\n');
    t.equal((await readdir(join(project, 'many'))).length, 1000);
  });

  await t.test('are to git, SQLite and other programs what a disk of the machine is', async (t) => {
    const imported = await harness.docker('dev', ['import', '-', 'tools'], { input: await gitTools() });
    t.equal(imported.exitCode, 0, imported.stderr);
    for (const name of ['script', 'on-host']) await mkdir(join(project, name));
    await writeFile(join(project, 'script', 'run'), treeScript);
    for (let i = 0; i < 5000; i++) await writeFile(join(project, 'on-host', `${i}`), '');
    const { stdout, stderr, exitCode } = await docker(
      ...['run', '--rm', '-v', `${project}:/src`, '-e', 'PATH=/bin', 'tools', 'sh', '-ec'],
      `mkdir /src/work /tmp/work; for at in /src /tmp; do cd $at/work; sh -e /src/script/run >/tmp/said-\${at#/} 2>&1 || echo failed; done
       ls /src/on-host | sort -n | uniq | wc -l; cat /tmp/said-src; echo ==; cat /tmp/said-tmp`,
    );
    t.equal(exitCode, 0, stderr);
    const [there, own] = stdout.split('==\n');
    t.equal(there, `5000\n${own}`);
    t.match(own, /ok\n4\n$/, 'and it came to its end');
  });

  await t.test('show a change on this computer within two seconds', async (t) => {
    await writeFile(join(project, 'watched'), 'before');
    await docker('run', '-d', '--name', 'watching', '-v', `${project}:/src`, 'busybox', 'sleep', '600');
    t.equal((await docker('exec', 'watching', 'cat', '/src/watched')).stdout, 'before');
    await writeFile(join(project, 'watched'), 'after, and longer');
    await new Promise((resolve) => setTimeout(resolve, 2200));
    t.equal((await docker('exec', 'watching', 'cat', '/src/watched')).stdout, 'after, and longer');
  });

  await t.test('are not written when shared read-only', async (t) => {
    const { stdout, stderr, exitCode } = await docker(
      ...['run', '--rm', '-v', '/mnt/shown:/x', 'busybox', 'sh', '-c', 'cat /x/file; rm /x/file'],
    );
    t.equal(stdout, 'shown');
    t.match(stderr, /Permission denied|Read-only/);
    t.not(exitCode, 0);
    t.equal(await readFile(join(shown, 'file'), 'utf8'), 'shown');
  });

  await t.test('are made by -v where they are missing, within what is shared', async (t) => {
    t.equal((await docker('run', '--rm', '-v', './made/below:/x', 'busybox', 'touch', '/x/y')).exitCode, 0);
    t.same(await readdir(join(project, 'made', 'below')), ['y']);
    t.equal((await stat(join(project, 'made'))).uid, userInfo().uid);
  });

  await t.test('are an error when they are not shared, instead of empty', async (t) => {
    for (const args of [
      ['-v', '/srv/nowhere:/x'],
      ['--mount', 'type=bind,src=/srv/nowhere,dst=/x'],
    ]) {
      const { exitCode, stderr } = await docker('run', '--rm', ...args, 'busybox', 'true');
      t.equal(exitCode, 125);
      t.match(
        stderr,
        `/srv/nowhere; of your computer it has ${home}, /mnt/shown; machine restart --add-mount /srv/nowhere dev adds it`,
      );
    }
  });

  await t.test('leave the engine’s own socket to be bound', async (t) => {
    const socket = '/var/run/docker.sock';
    const { stdout } = await docker(
      'run',
      '--rm',
      '-v',
      `${socket}:${socket}`,
      'busybox',
      'ls',
      '-l',
      socket,
    );
    t.match(stdout, /^srw/);
  });

  await additional?.(t, { harness, project, docker });

  await t.test('are there again after a stop and a start', async (t) => {
    t.equal((await harness.machine(['stop', 'dev'])).exitCode, 0);
    const started = await harness.machine(['start', 'dev']);
    t.equal(started.exitCode, 0, started.stderr);
    t.equal((await inProject('cat watched')).stdout, 'after, and longer');
  });

  await t.test('are others after a restart that says so', async (t) => {
    const more = await realpath(await mkdtemp(join(tmpdir(), 'more-')));
    t.teardown(() => rm(more, { recursive: true }));
    await writeFile(join(more, 'file'), 'more');
    const see = (...volume: string[]) => docker('run', '--rm', '-v', ...volume, 'busybox', 'ls', '/x');
    const running = await harness.machine(['start', '--add-mount', more, 'dev']);
    t.equal(running.exitCode, 1);
    t.match(
      running.stderr,
      `machine restart --mount ${home} --mount ${shown}:/mnt/shown:ro --mount ${more} dev changes them`,
    );
    const missing = await harness.machine(['restart', '--add-mount', join(more, 'nowhere'), 'dev']);
    t.match(missing, { exitCode: 1, stderr: /there is no such directory/ });
    t.equal((await see(`${project}:/x`)).exitCode, 0, 'and the machine runs on');

    const added = await harness.machine(['restart', '--add-mount', more, 'dev']);
    t.equal(added.exitCode, 0, added.stderr);
    t.equal((await see(`${more}:/x`)).stdout, 'file\n');
    t.equal((await inProject('cat watched')).stdout, 'after, and longer', 'besides those that it had');

    const chosen = await harness.machine(['restart', '--mount', `${more}:ro`, 'dev']);
    t.equal(chosen.exitCode, 0, chosen.stderr);
    t.not((await docker('run', '--rm', '-v', `${more}:/x`, 'busybox', 'touch', '/x/y')).exitCode, 0);
    t.match(
      (await see(`${project}:/x`)).stderr,
      `of your computer it has ${more}; machine restart --add-mount`,
    );
    t.equal((await harness.machine(['restart', '--no-mount', 'dev'])).exitCode, 0);
    t.match((await see(`${more}:/x`)).stderr, 'of your computer it has no directory');
  });
}
