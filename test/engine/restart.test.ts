import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test('containers outlive the engine, and nothing of them is lost', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const script = 'echo before; read -r line </tmp/go; echo after; exit 7';
  await engine.output(['run', '-d', '--name', 'one', 'busybox', 'sh', '-c', `mkfifo /tmp/go; ${script}`]);
  await engine.output(['run', '-d', '--name', 'two', 'busybox', 'sleep', '1000']);
  await engine.output(['create', '--name', 'three', 'busybox', 'true']);

  await engine.stop('SIGKILL');
  await engine.start();

  const states = await engine.output(['ps', '-a', '--format', '{{.Names}} {{.State}}']);
  t.same(states.trim().split('\n').sort(), ['one running', 'three created', 'two running']);
  t.equal(await engine.output(['exec', 'two', 'echo', 'alive']), 'alive\n');
  const exit = engine.output(['wait', 'one']);
  await engine.output(['exec', 'one', 'sh', '-c', 'echo >/tmp/go']);
  t.equal(await exit, '7\n', 'who waits after a restart is told the exit code');
  t.equal(await engine.output(['logs', 'one']), 'before\nafter\n');
});

t.test('a container that ends while no engine runs has its exit code and output', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const pid = Number(
    await engine
      .output([
        'run',
        '-d',
        '--name',
        'one',
        'busybox',
        'sh',
        '-c',
        'trap "echo last words; exit 9" TERM; while :; do sleep 0.1; done',
      ])
      .then(() => engine.output(['inspect', '--format', '{{.State.Pid}}', 'one'])),
  );
  await engine.stop('SIGKILL');
  const gone = once(spawn('tail', [`--pid=${pid}`, '-f', '/dev/null']), 'exit');
  process.kill(pid, 'SIGTERM');
  await gone;
  await engine.start();
  t.equal(
    await engine.output(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'one']),
    'exited 9\n',
  );
  t.equal(await engine.output(['logs', 'one']), 'last words\n');
});

t.test('SIGTERM leaves containers running, SIGPWR stops them', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output([
    'run',
    '-d',
    '--name',
    'one',
    'busybox',
    'sh',
    '-c',
    'trap "echo bye; exit 0" TERM; while :; do sleep 0.1; done',
  ]);
  t.equal(await engine.stop('SIGTERM'), 0);
  await engine.start();
  t.equal(await engine.output(['inspect', '--format', '{{.State.Status}}', 'one']), 'running\n');
  t.equal(await engine.stop('SIGPWR'), 0);
  await engine.start();
  t.equal(
    await engine.output(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'one']),
    'exited 0\n',
  );
  t.equal(await engine.output(['logs', 'one']), 'bye\n');
});
