import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test('each log driver keeps, shows and bounds what was written', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = (name: string, script: string, ...options: string[]) =>
    engine.docker(['run', '--network', 'none', '--name', name, ...options, 'busybox', 'sh', '-c', script]);

  for (const driver of ['json-file', 'local']) {
    const bounds = ['--log-driver', driver, '--log-opt', 'max-size=50k', '--log-opt', 'max-file=2'];
    const many = `i=0; while [ $i -lt 20000 ]; do echo line $((i+=1)); done; echo oops >&2`;
    await run(driver, many, ...bounds, '--log-opt', 'env=A', '-e', 'A=b c');
    const { stdout, stderr } = await engine.docker(['logs', driver]);
    t.match(stdout, /line 19999\nline 20000\n$/, driver);
    t.notMatch(stdout, /line 100\n/, 'bounded');
    t.equal(stderr, 'oops\n');
    // One of them may be the other stream's.
    t.match(await engine.output(['logs', '--tail', '2', driver]), /^(line 19999\n)?line 20000\n$/);
    t.match(await engine.output(['logs', '--tail', '2', '--details', driver]), /^A=b\+c line 20000\n$/m);
    const stamped = await engine.output(['logs', '-t', '--tail', '2', driver]);
    t.match(stamped, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 20000\n$/m);
    t.equal(await engine.output(['logs', '--until', '1h', driver]), '');
    t.match(await engine.output(['logs', '-f', '--since', '1h', '--tail', '2', driver]), /line 20000\n$/);
    const id = (await engine.output(['inspect', '--format', '{{.Id}}', driver])).trim();
    const path = (await engine.output(['inspect', '--format', '{{.LogPath}}', driver])).trim();
    const expected = join(engine.dataRoot, 'containers', id, `${id}-json.log`);
    t.equal(path, driver === 'local' ? '' : expected);
    t.equal(existsSync(expected), driver !== 'local');
  }

  t.equal((await run('none', 'echo hello', '--log-driver', 'none')).stdout, 'hello\n');
  const refused = await engine.docker(['logs', 'none']);
  t.equal(refused.exitCode, 1);
  t.match(refused.stderr, /configured logging driver does not support reading/);
  const unknown = await run('unknown', 'true', '--log-opt', 'foo=bar');
  t.equal(unknown.exitCode, 125);
  t.match(unknown.stderr, /unknown log opt 'foo' for json-file log driver/);
});

t.test('logs -f goes on through rotations', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const script = 'read -r _; i=0; while [ $i -lt 20000 ]; do echo $((i+=1)); done';
  const options = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=1'];
  const command = ['--network', 'none', '--name', 'one', ...options, 'busybox', 'sh', '-c', script];
  await engine.output(['run', '-di', ...command]);
  const following = engine.output(['logs', '-f', 'one']);
  await engine.docker(['attach', 'one'], { input: '\n' });
  const lines = (await following).trimEnd().split('\n');
  t.same(lines.slice(-2), ['19999', '20000']);
  t.ok(lines.every((line, index) => index === 0 || Number(line) === Number(lines[index - 1]) + 1));
});
