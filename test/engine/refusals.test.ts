import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../helpers/run-command.ts';
import { EngineHarness } from './engine-harness.ts';

const missing = EngineHarness.missing() ?? false;

t.test('what cannot be honoured is refused by name', { skip: missing }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const refused = async (args: readonly string[], stderr: RegExp) =>
    t.match(await engine.docker(['create', ...args, 'busybox']), { exitCode: 1, stderr }, args.join(' '));
  await refused(['--gpus', 'all'], /could not select device driver/);
  await refused(['--blkio-weight', '5'], /from 10 to 1000/);
  await refused(['--mount', 'type=bind,src=/,dst=/m,consistency=odd'], /invalid consistency: odd/);
  await refused(
    ['--name', 'x'],
    /Invalid container name \(x\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_.-\] are allowed/,
  );
  t.equal(await engine.output(['ps', '-aq']), '');
});

t.test('read-only binds are so below too, unless asked otherwise', { skip: missing }, async (t) => {
  // Mounted before the engine starts, which has a mount namespace of its own.
  const source = await mkdtemp(join(tmpdir(), 'bind-'));
  const below = join(source, 'below');
  await mkdir(below);
  await runCommand('mount', ['-t', 'tmpfs', 'below', below]);
  t.teardown(async () => {
    await runCommand('umount', [below]);
    await rm(source, { recursive: true });
  });
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const touch = (options: string) =>
    engine.docker([
      ...['run', '--rm', '--network', 'none', '--mount', `type=bind,src=${source},dst=/m,readonly${options}`],
      ...['busybox', 'touch', '/m/below/file'],
    ]);
  t.match(await touch(''), { exitCode: 1, stderr: /Read-only/ });
  t.match(await touch(',bind-recursive=readonly,bind-propagation=rprivate'), { exitCode: 1 });
  t.match(await touch(',bind-recursive=writable'), { exitCode: 0 });
});

t.test('a bind with rslave shows what the host mounts later', { skip: missing }, async (t) => {
  const source = await mkdtemp(join(tmpdir(), 'bind-'));
  const below = join(source, 'below');
  await mkdir(below);
  // A shared mount, as on most hosts `/` is.
  await runCommand('mount', ['--bind', source, source]);
  await runCommand('mount', ['--make-shared', source]);
  t.teardown(async () => {
    await runCommand('umount', ['-R', source]);
    await rm(source, { recursive: true });
  });
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  for (const [name, mode] of [
    ['hears', 'rslave'],
    ['deaf', 'rprivate'],
  ])
    await engine.output([
      ...['run', '-d', '--name', name!, '--network', 'none', '-v', `${source}:/m:${mode}`],
      ...['busybox', 'sleep', '1000'],
    ]);
  await runCommand('mount', ['-t', 'tmpfs', 'later', below]);
  const mounts = (name: string) => engine.output(['exec', name, 'cat', '/proc/mounts']);
  t.match(await mounts('hears'), /^later \/m\/below tmpfs/m);
  t.notMatch(await mounts('deaf'), /^later/m);
});

t.test('a bind with rshared shows outside what the container mounts', { skip: missing }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const source = join(engine.directory, 'source');
  await mkdir(join(source, 'below', 'deep'), { recursive: true });
  const inside = (...command: string[]) =>
    runCommand('nsenter', ['-t', `${engine.pid}`, '-m', ...command]).then(({ stdout }) => stdout);
  const run = (mode: string, ...args: string[]) =>
    engine.docker(['run', '--network', 'none', '-v', `${source}:/m:${mode}`, ...args]);
  // The mounts of the engine's namespace are private until one is made shared.
  await inside('mount', '--bind', source, source);
  for (const [mode, kind] of [
    ['rshared', 'shared'],
    ['slave', 'shared or slave'],
  ])
    t.match(await run(mode!, 'busybox', 'true'), {
      exitCode: 125,
      stderr: `path ${source} is mounted on ${source} but it is not a ${kind} mount`,
    });
  await inside('mount', '--make-shared', source);
  const before = await inside('cat', '/proc/self/mountinfo');
  const flags = ['-d', '--name', 'web', '--cap-add', 'SYS_ADMIN', '--security-opt', 'apparmor=unconfined'];
  t.match(await run('rshared', ...flags, 'busybox', 'sleep', '1000'), { exitCode: 0 });
  await engine.output(['exec', 'web', 'mount', '-t', 'tmpfs', 'from-web', '/m/below']);
  t.match(await inside('cat', '/proc/self/mounts'), new RegExp(`^from-web ${source}/below tmpfs`, 'm'));
  t.match(
    (await run('rslave', '--rm', 'busybox', 'cat', '/proc/self/mounts')).stdout,
    /^from-web \/m\/below tmpfs/m,
  );
  await inside('mount', '-t', 'tmpfs', 'from-outside', join(source, 'below'));
  t.match(await engine.output(['exec', 'web', 'cat', '/proc/self/mounts']), /^from-outside \/m\/below/m);
  await engine.output(['rm', '-f', 'web']);
  await inside('umount', join(source, 'below'));
  await inside('umount', join(source, 'below'));
  const lines = (text: string) => text.split('\n').filter((line) => !line.includes('/roots ')).length;
  t.equal(lines(await inside('cat', '/proc/self/mountinfo')), lines(before), 'nothing else is seen');
  t.match(
    await engine.docker(['run', '--rm', '--tmpfs', '/t:shared', 'busybox', 'cat', '/proc/self/mountinfo']),
    { exitCode: 0, stdout: / \/t rw\S* shared:/ },
  );
});
