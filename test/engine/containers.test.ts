import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../helpers/run-command.ts';
import { EngineHarness } from './engine-harness.ts';

const missing = EngineHarness.missing() ?? false;

t.test('docker run gives output, exit codes and errors as dockerd does', { skip: missing }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = (...args: string[]) => engine.docker(['run', '--rm', '--network', 'none', 'busybox', ...args]);
  t.match(await run('sh', '-c', 'echo out; echo err >&2; exit 7'), {
    exitCode: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  t.match(
    await run('sh', '-c', 'kill -9 $$'),
    { exitCode: 0 },
    'the kernel spares the first process its own SIGKILL',
  );
  t.match(await run('missing'), { exitCode: 127, stderr: /executable file not found in \$PATH/ });
  t.match(await run('/etc'), { exitCode: 126, stderr: /permission denied/ });
  t.match(
    await engine.docker(['run', '--rm', '-i', '--network', 'none', 'busybox', 'cat'], { input: 'abc' }),
    { exitCode: 0, stdout: 'abc' },
    "the end of the client's input is the container's",
  );
  t.match(
    await engine.docker(['run', '--rm', '-t', '--network', 'none', 'busybox', 'sh', '-c', 'tty; exit 5']),
    { exitCode: 5, stdout: /^\/dev\/pts\/0\r\n$/ },
  );
  t.equal(await engine.output(['ps', '-aq']), '', 'nothing is left of them');
  t.match(await engine.docker(['run', '--link', 'a:b', 'busybox']), {
    exitCode: 125,
    stderr: /could not get container for a: No such container: a/,
  });
});

t.test(
  'containers, their output and exit codes survive the death of the engine',
  { skip: missing },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await engine.loadBusybox();
    const start = (name: string, script: string) =>
      engine.output(['run', '-d', '--network', 'none', '--name', name, 'busybox', 'sh', '-c', script]);
    await start('quiet', 'sleep 1000');
    await start('ends', 'sleep 1; echo last words; exit 3');
    await start('flood', 'sleep 1; seq 60000');
    await engine.stop('SIGKILL');
    await delay(1500);
    await engine.start();
    t.equal(await engine.output(['wait', 'ends']), '3\n');
    t.equal(await engine.output(['logs', 'ends']), 'last words\n');
    t.equal(await engine.output(['wait', 'flood']), '0\n');
    const expected = (await runCommand('seq', ['60000'])).stdout;
    t.ok((await engine.output(['logs', 'flood'])) === expected, 'more than a pipe holds arrived whole');
    t.equal(await engine.output(['inspect', '--format', '{{.State.Status}}', 'quiet']), 'running\n');
    await engine.output(['stop', '-t', '0', 'quiet']);
  },
);

t.test('ten containers at once, and exec in one of them', { skip: missing }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const runs = Array.from({ length: 10 }, (_, i) =>
    engine.output(['run', '--rm', '--network', 'none', 'busybox', 'echo', `${i}`]),
  );
  t.same(
    await Promise.all(runs),
    runs.map((_, i) => `${i}\n`),
  );
  await engine.output(['run', '-d', '--name', 'web', '--network', 'none', 'busybox', 'sleep', '1000']);
  t.match(await engine.docker(['exec', 'web', 'sh', '-c', 'echo hi; exit 4']), {
    exitCode: 4,
    stdout: 'hi\n',
  });
  t.match(await engine.docker(['exec', '-i', 'web', 'cat'], { input: 'x' }), { exitCode: 0, stdout: 'x' });
  t.match(await engine.docker(['exec', 'web', 'missing']), { exitCode: 126 });
  t.match(await engine.docker(['rm', 'web']), { exitCode: 1, stderr: /stop the container before removing/ });
  t.match(await engine.docker(['kill', 'web']), { exitCode: 0 });
  t.match(await engine.docker(['wait', 'web']), { stdout: '137\n' });
});
