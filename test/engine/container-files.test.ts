import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../helpers/run-command.ts';
import { EngineHarness } from './engine-harness.ts';

const missing = EngineHarness.missing() ?? false;
const noNetwork = ['--network', 'none'];

async function open(t: Parameters<typeof EngineHarness.open>[0]) {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  return engine;
}

t.test('the files of a container become an image of one layer', { skip: missing }, async (t) => {
  const engine = await open(t);
  await engine.output([
    'create',
    '--name',
    'box',
    ...noNetwork,
    'busybox',
    'sh',
    '-c',
    'echo new >/new; sleep 1000',
  ]);
  const tar = join(engine.directory, 'c.tar');
  await engine.output(['export', '-o', tar, 'box']);
  await engine.output(['import', '--change', 'CMD ["echo","imported"]', tar, 'own:1']);
  t.equal(await engine.output(['run', '--rm', ...noNetwork, 'own:1']), 'imported\n');
  await engine.output(['start', 'box']);
  await engine.output(['exec', 'box', 'sh', '-c', 'until [ -s /new ]; do :; done']);
  await engine.output(['export', '-o', tar, 'box']);
  const names = (await runCommand('tar', ['-tf', tar])).stdout.split('\n');
  t.ok(names.includes('new'), 'a running one gives its changes');
  t.notOk(
    names.some((name) => /^proc\/./.test(name)),
    'but not what is mounted in it',
  );
  await engine.output(['rm', '-f', 'box']);
});

t.test('docker cp copies both ways, whether the container runs or not', { skip: missing }, async (t) => {
  const engine = await open(t);
  const local = (name: string) => join(engine.directory, name);
  await mkdir(local('tree/sub'), { recursive: true });
  await writeFile(local('tree/sub/file'), 'from outside\n');
  await symlink('sub/file', local('tree/link'));
  await engine.output([
    ...['create', '--name', 'box', ...noNetwork, '-v', 'vol:/vol/deep', '-v', `${local('tree')}:/bound:ro`],
    ...['busybox', 'sleep', '1000'],
  ]);
  for (const state of ['stopped', 'running']) {
    if (state === 'running') await engine.output(['start', 'box']);
    await engine.output(['cp', local('tree'), `box:/tmp/${state}`]);
    await engine.output(['cp', `box:/tmp/${state}/.`, local(`back-${state}`)]);
    t.equal(await readFile(local(`back-${state}/link`), 'utf8'), 'from outside\n', state);
    await engine.output(['cp', local('tree/sub/file'), `box:/vol/deep/${state}`]);
    t.match(await engine.docker(['cp', local('tree/sub/file'), 'box:/bound/no']), {
      exitCode: 1,
      stderr: /read-only/,
    });
    t.match(await engine.docker(['cp', local('tree'), 'box:/bin/sh']), {
      exitCode: 1,
      stderr: /cannot (overwrite|copy)/,
    });
    t.match(await engine.docker(['cp', 'box:/missing', '-']), {
      exitCode: 1,
      stderr: /Could not find the file \/missing in container box/,
    });
    await engine.output(['cp', 'box:/bound/link', local(`link-${state}`), '-L']);
    t.equal(await readFile(local(`link-${state}`), 'utf8'), 'from outside\n');
  }
  t.equal(await engine.output(['exec', 'box', 'ls', '/vol/deep']), 'running\nstopped\n');
  await engine.output(['rm', '-f', 'box']);
});

t.test('links of a container lead nowhere but into it', { skip: missing }, async (t) => {
  const engine = await open(t);
  const secret = join(engine.directory, 'secret');
  await writeFile(secret, 'secret\n');
  const links = `ln -s ${engine.directory} /out; ln -s ${secret} /file; ln -s /proc/1/root /root-link`;
  await engine.output(['run', '--name', 'box', ...noNetwork, 'busybox', 'sh', '-c', links]);
  for (const path of ['/out/secret', '/root-link/etc/shadow'])
    t.match(await engine.docker(['cp', `box:${path}`, '-']), { exitCode: 1, stderr: /find|exist/ }, path);
  t.match(await engine.docker(['cp', '-L', 'box:/file', '-']), { exitCode: 1, stderr: /find|exist/ });
  t.match(await engine.docker(['cp', secret, 'box:/out/planted']), {
    exitCode: 1,
    stderr: /Could not find the file/,
  });
  await t.rejects(readFile(join(engine.directory, 'planted')));
  await engine.output(['rm', 'box']);
});

t.test('a client that goes away lets go of the container', { skip: missing }, async (t) => {
  const engine = await open(t);
  await engine.output(['create', '--name', 'box', ...noNetwork, 'busybox', 'sleep', '1000']);
  const ask = (path: string) =>
    request({ socketPath: engine.socket, path: `/containers/box/${path}` }).on('error', () => {});
  const answered = ask('export').end();
  await once(answered, 'response');
  answered.destroy();
  for (const path of ['export', 'archive?path=/bin']) {
    const unanswered = ask(path);
    unanswered.end();
    await once(unanswered, 'finish');
    unanswered.destroy();
  }
  t.equal(await engine.output(['start', 'box'], { timeoutMs: 20_000 }), 'box\n');
  await engine.output(['rm', '-f', 'box']);
});
