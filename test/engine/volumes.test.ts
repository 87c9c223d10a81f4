import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { nthChange } from '../helpers/nth-change.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test('an empty volume gets what the image has, when its container is made', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = (...args: string[]) => engine.output(['run', '--rm', ...args]);
  await engine
    .output(['create', '--name', 'data', '-v', 'etc:/etc', '-v', 'bare:/etc:nocopy', 'busybox'])
    .then(
      () => t.fail('two mounts at one place'),
      (error: Error) => t.match(error.message, 'Duplicate mount point: /etc'),
    );
  await engine.output(['create', '--name', 'data', '-v', 'etc:/etc', '-v', 'tmp:/tmp', 'busybox']);
  t.match(await run('-v', 'etc:/e', 'busybox', 'ls', '/e'), /group\n.*passwd\n/s);
  t.equal(await run('-v', 'tmp:/t', 'busybox', 'stat', '-c', '%a', '/t'), '1777\n', 'with its mode');
  t.equal(await run('-v', 'bare:/etc:nocopy', 'busybox', 'ls', '/etc/passwd').catch(() => 'gone'), 'gone');
  t.match(await run('-v', 'bin:/bin', 'busybox', 'readlink', '/bin/sh'), 'busybox', 'links stay links');
  t.match(await engine.docker(['create', '-v', 'over:/bin/busybox', 'busybox']), {
    exitCode: 1,
    stderr: /cannot mount volume over existing file/,
  });
});

t.test("options are mount's own, and are unmounted after the last container", { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const source = join(engine.directory, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'from outside');
  const create = (name: string, options: Record<string, string>) =>
    engine.docker([
      ...['volume', 'create', name],
      ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    ]);
  await create('memory', { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,uid=7' });
  await create('bound', { type: 'none', device: source, o: 'bind' });
  await create('lost', { type: 'none', device: '/nonexistent', o: 'bind' });
  const volumes = ['-v', 'memory:/m', '-v', 'bound:/b'];
  const script = 'stat -f -c %T /m; stat -c %u /m; cat /b/file; echo mine >/m/file';
  t.equal(
    await engine.output(['run', '--rm', ...volumes, 'busybox', 'sh', '-c', script]),
    'tmpfs\n7\nfrom outside',
  );
  t.equal(await engine.output(['run', '--rm', ...volumes, 'busybox', 'ls', '/m']), '', 'memory is gone');
  await engine.output(['run', '-d', '--name', 'web', ...volumes, 'busybox', 'sleep', '1000']);
  const mounted = () => readFileSync(`/proc/${engine.pid}/mountinfo`, 'utf8').match(/_data/g)?.length ?? 0;
  t.equal(mounted(), 2);
  await engine.output(['exec', 'web', 'touch', '/m/shared']);
  t.equal(await engine.output(['run', '--rm', ...volumes, 'busybox', 'ls', '/m']), 'shared\n');
  t.match(await engine.docker(['volume', 'rm', 'bound']), {
    stderr: /remove bound: volume is in use - \[[0-9a-f]{64}\]/,
  });
  await engine.output(['rm', '-f', 'web']);
  t.equal(mounted(), 0);
  t.match(await engine.docker(['run', '--rm', '-v', 'lost:/x', 'busybox']), {
    exitCode: 127,
    stderr:
      /error while mounting volume '.*lost\/_data': failed to mount local volume: mount \/nonexistent.*: no such file or directory/,
  });
});

t.test('a path of a volume is filled as a whole one is', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = (...args: string[]) => engine.docker(['run', '--rm', ...args]);
  const below = (path: string, more = '') => `type=volume,src=data,dst=/etc,volume-subpath=${path}${more}`;
  await run('-v', 'data:/d', 'busybox', 'sh', '-c', 'mkdir /d/a /d/b /d/c; ln -s a /d/link; touch /d/b/old');
  await run('--mount', below('link'), 'busybox', 'true');
  await run('--mount', below('b'), 'busybox', 'true');
  await run('--mount', below('c', ',volume-nocopy'), 'busybox', 'true');
  t.match(await run('-v', 'data:/d', 'busybox', 'ls', '/d/a', '/d/b', '/d/c'), {
    stdout:
      /^\/d\/a:\n(.*\n)*group\n(.*\n)*\n\/d\/b:\n((?!passwd).*\n)*old\n((?!passwd).*\n)*\n\/d\/c:\n((?!passwd).*\n)*$/,
  });
  t.match(await run('--mount', below('none'), 'busybox', 'true'), {
    exitCode: 127,
    stderr: /cannot access path "none" of volume "data": no such file/,
  });
  await engine.output(['create', '--name', 'lost', '--mount', below('none'), 'busybox']);
  t.match(await engine.docker(['start', 'lost']), { exitCode: 1, stderr: /cannot access path "none"/ });
  t.equal(
    await engine.output(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'lost']),
    'created 128\n',
  );
});

t.test('a path of a volume, never one outside of it', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output([
    ...['run', '--rm', '-v', 'data:/d', 'busybox', 'sh', '-c'],
    'mkdir -p /d/a/b; echo inside >/d/a/b/file; ln -s /a /d/absolute; ln -s ../../../../etc /d/up',
  ]);
  const show = (path: string, command: string[], more = '') =>
    engine.docker([
      ...['run', '--rm', '--mount', `type=volume,src=data,dst=/x/y,volume-subpath=${path}${more}`],
      ...['busybox', ...command],
    ]);
  t.match(await show('a/b', ['cat', '/x/y/file']), { stdout: 'inside\n' });
  t.match(await show('absolute/b', ['ls', '/x/y']), { stderr: /escapes the base directory/ });
  t.match(await show('a/b/file', ['cat', '/x/y']), { stdout: 'inside\n' }, 'a file');
  t.match(await show('a/b/file', ['sh', '-c', 'echo >/x/y'], ',readonly'), { stderr: /Read-only/ });
  t.match(await show('up', ['ls', '/x/y']), { stderr: /cannot access path "up" of volume "data"/ });
  t.match(await show('../a', ['ls']), { stderr: /must be a relative path within the volume/ });
  t.same(readdirSync(join(engine.runRoot, 'subpaths')), []);
});

t.test('single files are bound, also read-only; missing sources are made or refused', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const file = join(engine.directory, 'file');
  writeFileSync(file, 'text');
  symlinkSync(file, join(engine.directory, 'link'));
  const run = (...args: string[]) => engine.docker(['run', '--rm', ...args]);
  t.match(await run('-v', `${file}:/new/place`, 'busybox', 'cat', '/new/place'), { stdout: 'text' });
  t.match(await run('-v', `${file}:/etc/passwd:ro`, 'busybox', 'cat', '/etc/passwd'), { stdout: 'text' });
  t.match(await run('-v', `${join(engine.directory, 'link')}:/l:ro`, 'busybox', 'cat', '/l'), {
    stdout: 'text',
  });
  const absent = join(engine.directory, 'absent');
  t.match(await run('--mount', `type=bind,src=${absent},dst=/x`, 'busybox', 'true'), {
    exitCode: 125,
    stderr: `invalid mount config for type "bind": bind source path does not exist: ${absent}`,
  });
  t.equal(await engine.output(['ps', '-aq']), '', 'refused before anything is made');
  t.match(await run('-v', `${absent}/deep:/x`, 'busybox', 'ls', '/x'), { exitCode: 0, stdout: '' });
  t.match(await run('-v', '/proc/nothing/here:/x', 'busybox', 'true'), {
    stderr: /error while creating mount source path '\/proc\/nothing\/here'/,
  });
});

t.test(
  'anonymous volumes go with their container, or by prune; a killed create leaves none',
  { skip },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await engine.loadBusybox();
    const names = async () => (await engine.output(['volume', 'ls', '-q'])).split('\n').filter(Boolean);
    await engine.output(['run', '--rm', '-v', '/a', 'busybox', 'true']);
    t.same(await names(), []);
    await engine.output(['create', '--name', 'one', '-v', '/a', '-v', 'named:/n', 'busybox']);
    await engine.output(['rm', 'one']);
    t.equal((await names()).length, 2);
    await engine.output(['volume', 'prune', '-f']);
    t.same(await names(), ['named']);
    // Killed when the nth directory of a volume appears.
    for (const n of [1, 2, 3]) {
      const seen = nthChange(join(engine.dataRoot, 'volumes'), n);
      const creating = engine.docker(['create', '-v', '/bin', '-v', '/etc', 'busybox']);
      await Promise.race([seen, creating]);
      await engine.stop('SIGKILL');
      const { exitCode } = await creating;
      await engine.start();
      const made = (await engine.output(['ps', '-aq'])).split('\n').filter(Boolean).length;
      t.equal((await names()).length, 1 + 2 * made, exitCode === 0 ? 'it was made' : 'it was cut short');
      if (made > 0)
        await engine.output(['rm', '-v', ...(await engine.output(['ps', '-aq'])).trim().split('\n')]);
    }
  },
);
