import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

/** Resolves with the next event of health, as `name: status`. */
function healthEvents(t: Test, engine: EngineHarness): () => Promise<string> {
  const format = '{{.Actor.Attributes.name}}: {{.Action}}';
  const events = spawn(
    'docker',
    ['events', '--since', '0', '--filter', 'event=health_status', '--format', format],
    {
      env: { ...process.env, ...engine.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: events.stdout })[Symbol.asyncIterator]();
  const exited = once(events, 'exit');
  t.teardown(async () => {
    events.kill();
    await exited;
  });
  return async () => String((await lines.next()).value).replace('health_status: ', '');
}

const quick = ['--health-interval', '100ms', '--health-retries', '2', '--network', 'none'];

t.test('a container becomes healthy and unhealthy by its check', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const next = healthEvents(t, engine);
  const check = ['--health-cmd', 'echo probed; test -e /well'];
  await engine.output(['run', '-d', '--name', 'box', ...quick, ...check, 'busybox', 'sleep', '1000']);
  const status = () => engine.output(['ps', '-a', '--format', '{{.Status}}']);
  const healths = async (filter: string) =>
    (await engine.output(['ps', '-a', '--filter', `health=${filter}`, '--format', '{{.Names}}'])).trim();

  t.equal(await next(), 'box: unhealthy');
  t.match(await status(), /^Up .* \(unhealthy\)$/m);
  await engine.output(['exec', 'box', 'touch', '/well']);
  t.equal(await next(), 'box: healthy');
  t.match(await status(), /^Up .* \(healthy\)$/m);
  t.equal(await healths('healthy'), 'box');
  t.equal(await healths('unhealthy'), '');
  const health = JSON.parse(await engine.output(['inspect', '-f', '{{json .State.Health}}', 'box']));
  t.match(health, { Status: 'healthy', FailingStreak: 0 });
  t.match(health.Log.at(-1), { ExitCode: 0, Output: 'probed\n', Start: /Z$/, End: /Z$/ });

  await engine.output(['pause', 'box']);
  t.match(await status(), /\(Paused\)$/m);
  await engine.output(['unpause', 'box']);
  t.equal(await next(), 'box: healthy', 'as dockerd: who was paused has to prove it again');

  await engine.stop('SIGKILL');
  await engine.start();
  t.match(await status(), /^Up .* \(healthy\)$/m, 'another agent knows, and goes on');
  const again = healthEvents(t, engine);
  await engine.output(['exec', 'box', 'rm', '/well']);
  t.equal(await again(), 'box: unhealthy');

  await engine.output(['restart', '-t', '0', 'box']);
  t.match(await status(), /^Up .* \((health: starting|unhealthy)\)$/m);
  await engine.output(['stop', '-t', '0', 'box']);
  t.match(await status(), /^Exited \(137\)/);
  t.equal(await healths('none'), '');
  const refused = await engine.docker(['ps', '--filter', 'health=odd']);
  t.match(refused, { exitCode: 1, stderr: /unrecognized filter value for health: odd/ });
});

t.test('a probe that hangs or cannot run is a failure, and nothing of it stays', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const next = healthEvents(t, engine);
  const lastLog = async (name: string) =>
    JSON.parse(await engine.output(['inspect', '-f', '{{json .State.Health.Log}}', name])).at(-1);

  const hung = ['--health-timeout', '100ms', '--health-cmd', 'echo here; (sleep 1000)'];
  await engine.output(['run', '-d', '--name', 'hung', ...quick, ...hung, 'busybox', 'sleep', '2000']);
  t.equal(await next(), 'hung: unhealthy');
  t.match(await lastLog('hung'), { ExitCode: -1, Output: 'Health check exceeded timeout (100ms): here\n' });
  const processes = await engine.output(['top', 'hung']);
  t.ok((processes.match(/sleep 1000/g) ?? []).length <= 1, 'no hung probe but the last');
  await engine.stop('SIGKILL');
  await engine.start();
  const after = await engine.output(['top', 'hung']);
  t.ok((after.match(/sleep 1000/g) ?? []).length <= 1, "not one of an earlier engine's either");
  await engine.output(['rm', '-f', 'hung']);
  const later = healthEvents(t, engine);

  await engine.output([
    'run',
    '-d',
    '--name',
    'bad',
    ...quick,
    '--health-cmd',
    'kill -9 $$',
    'busybox',
    'sleep',
    '1000',
  ]);
  t.equal(await later(), 'bad: unhealthy');
  t.match(await lastLog('bad'), { ExitCode: 137 });
});

t.test("an image's own check runs, and --no-healthcheck turns it off", { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const check = [
    '--health-cmd',
    'test "$ROLE" = good',
    '--health-interval',
    '100ms',
    '--health-retries',
    '1',
  ];
  await engine.output(['create', '--name', 'seed', ...check, 'busybox', 'true']);
  await engine.output(['commit', 'seed', 'checked']);
  const next = healthEvents(t, engine);
  const run = (...args: string[]) =>
    engine.output(['run', '-d', '--network', 'none', ...args, 'checked', 'sleep', '1000']);
  await run('--name', 'good', '-e', 'ROLE=good');
  t.equal(await next(), 'good: healthy');
  await run('--name', 'bad');
  t.equal(await next(), 'bad: unhealthy');
  await run('--name', 'unchecked', '--no-healthcheck');
  const inspected = await engine.output([
    'inspect',
    '-f',
    '{{.State.Status}} {{.State.Health}}',
    'unchecked',
  ]);
  t.equal(inspected, 'running <nil>\n');
});
