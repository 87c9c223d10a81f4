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
  t.match(await engine.docker(['create', '-v', `${source}:/m:rshared`, 'busybox']), {
    exitCode: 1,
    stderr: /bind propagation rshared; rslave shows/,
  });
});
