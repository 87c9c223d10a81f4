import { connect } from 'node:net';
import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test('restart policies start again what ended by itself, not what was stopped', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = (name: string, policy: string, ...command: string[]) =>
    engine.output([
      'run',
      '-d',
      '--network',
      'none',
      '--name',
      name,
      '--restart',
      policy,
      'busybox',
      ...command,
    ]);
  const look = async (name: string) =>
    (await engine.output(['inspect', '--format', '{{.State.Status}} {{.RestartCount}}', name])).trim();
  await run('failing', 'on-failure:2', 'sh', '-c', 'exit 3');
  await run('good', 'on-failure', 'true');
  await run('always', 'always', 'sleep', '1000');
  await run('unless', 'unless-stopped', 'sleep', '1000');
  for (let exits = 0; (await look('failing')) !== 'exited 2' && exits < 4; exits++)
    await engine.output(['wait', 'failing']);
  t.equal(await look('failing'), 'exited 2');
  t.equal(await look('good'), 'exited 0');
  await engine.output(['stop', '-t', '0', 'always', 'unless']);
  t.equal(await look('always'), 'exited 0');
  await engine.stop('SIGTERM');
  await engine.start();
  const states = await engine.output(['ps', '-a', '--format', '{{.Names}} {{.State}}']);
  t.match(states, /unless exited/);
  // Starts go on beside the API; a rename queues behind them.
  await engine.output(['rename', 'always', 'again']);
  t.equal(await look('again'), 'running 0', 'always is always again');
  t.match(await engine.docker(['run', '--rm', '--restart', 'always', 'busybox']), { exitCode: 125 });
});

t.test('--rm is kept when the container ends while no engine runs', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output([
    'run',
    '-d',
    '--rm',
    '--network',
    'none',
    '-v',
    '/data',
    '--name',
    'one',
    'busybox',
    'sleep',
    '1000',
  ]);
  const pid = Number(await engine.output(['inspect', '--format', '{{.State.Pid}}', 'one']));
  await engine.stop('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await engine.start();
  await engine.docker(['wait', '--condition', 'removed', 'one']);
  t.match(await engine.docker(['wait', 'one']), { stderr: /No such container/ });
  t.equal(await engine.output(['volume', 'ls', '-q']), '');
});

t.test('rename, pause, top and stats', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output(['run', '-d', '--network', 'none', '--name', 'old', 'busybox', 'sleep', '1000']);
  await engine.output(['create', '--name', 'other', 'busybox', 'true']);
  t.match(await engine.docker(['rename', 'old', 'other']), { exitCode: 1, stderr: /already in use/ });
  await engine.output(['rename', 'old', 'new']);
  t.match(await engine.docker(['start', 'old']), { stderr: /No such container/ });
  await engine.output(['create', '--name', 'old', 'busybox', 'true']);
  await engine.output(['pause', 'new']);
  t.match(await engine.output(['ps', '--format', '{{.Status}}']), /\(Paused\)/);
  t.match(await engine.docker(['exec', 'new', 'true']), { exitCode: 1, stderr: /is paused/ });
  await engine.output(['unpause', 'new']);
  t.match(await engine.output(['top', 'new']), /PID[^\n]*\n[^\n]*sleep 1000/);
  const format = '{{.Name}} {{.PIDs}} {{.MemUsage}}';
  t.match(await engine.output(['stats', '--no-stream', '--format', format, 'new']), /^new 1 .*iB \/ /);
  await engine.output(['pause', 'new']);
  await engine.output(['kill', 'new']);
  t.equal(await engine.output(['wait', 'new']), '137\n', 'a paused container can be killed');
});

t.test('network modes: another container, the host, none; a port is published once', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const server = ['busybox', 'sh', '-c', 'while :; do echo served | nc -l -p 80; done'];
  await engine.output(['run', '-d', '--name', 'web', '-p', '127.0.0.1:0:80', ...server]);
  const port = Number(/:(\d+)\n/.exec(await engine.output(['port', 'web', '80']))?.[1]);
  t.match(await said(port), 'served\n', 'through the published port');
  const beside = ['run', '--rm', '--network', 'container:web', 'busybox', 'nc', '127.0.0.1', '80'];
  t.equal(await engine.output(beside), 'served\n', 'a container beside it shares its loopback');
  const taken = ['run', '-d', '--name', 'second', '-p', `127.0.0.1:${port}:80`, ...server];
  t.match(await engine.docker(taken), { exitCode: 125, stderr: /port is already allocated/ });
  const links = (mode: string) =>
    engine.output(['run', '--rm', '--network', mode, 'busybox', 'sh', '-c', 'echo /sys/class/net/*']);
  t.equal(await links('none'), '/sys/class/net/lo\n');
  t.match(await links('host'), 'mb-');
  t.match(await engine.docker(['run', '--rm', '--network', 'container:second', 'busybox']), {
    exitCode: 125,
  });
});

/** What a server on this computer says to whoever connects. */
function said(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (data: string) => {
        text += data;
      })
      .on('end', () => resolve(text))
      .on('error', reject);
  });
}
