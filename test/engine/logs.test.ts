import { on } from 'node:events';
import { existsSync, statSync, watch } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { segmentBytes } from '../../guest/runtime/drain-keeper.ts';
import { runCommand } from '../helpers/run-command.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;
const rounds = 30;
const segments = ['stdout.0', 'stdout.1'];

/** Lines long enough to fill a few segments with few of them: what takes time is their number. */
const padding = '.'.repeat(120);

/** Writes numbered lines without end, thousands a second, and leaves the computer to others now and then. */
const writer = (word: string) =>
  `i=0; while :; do echo $((i+=1)) ${word} ${padding}; [ $((i % 20)) != 0 ] || usleep 10000; done`;

async function run(engine: EngineHarness, name: string, script: string, ...options: string[]) {
  const command = [
    'run',
    '-d',
    '--network',
    'none',
    '--name',
    name,
    ...options,
    'busybox',
    'sh',
    '-c',
    script,
  ];
  return (await engine.output(command)).trim();
}

/** Each line once, whole and in order: `1 out ...`, `2 out ...`, and more of them than a segment holds. */
function checkLines(t: Test, text: string, word: string): void {
  const lines = text.split(/\r?\n/).slice(0, -1);
  const wrong = lines.findIndex((line, index) => line !== `${index + 1} ${word} ${padding}`);
  t.equal(
    wrong < 0 ? 'all right' : `line ${wrong + 1} is ${JSON.stringify(lines[wrong])}`,
    'all right',
    word,
  );
  t.ok(text.length > segmentBytes, `${lines.length} lines, ${text.length} bytes`);
}

t.test('no line is lost, doubled or torn by killing the engine at any moment', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const keep = ['--log-opt', 'max-size=1g'];
  await run(engine, 'two', `(${writer('out')}) & (${writer('err')}) >&2`, ...keep);
  await run(engine, 'tty', writer('tty'), '-t', ...keep);
  await run(engine, 'small', writer('small'), ...keep, '--log-driver', 'local');
  for (let kill = 0; kill < rounds; kill++) {
    await delay(Math.random() * 200);
    await engine.stop('SIGKILL');
    await engine.start();
    const { stdout } = await engine.docker(['logs', '--tail', '3', 'tty']);
    t.match(stdout, /^(\d+ tty \.{120}\r\n){3}$/, `logs after kill ${kill + 1}`);
  }
  const following = engine.docker(['logs', '-f', '--tail', '1000000000', 'tty'], { timeoutMs: 120_000 });
  await engine.output(['kill', 'two', 'tty', 'small']);
  const two = await engine.docker(['logs', 'two'], { timeoutMs: 180_000 });
  checkLines(t, two.stdout, 'out');
  checkLines(t, two.stderr, 'err');
  checkLines(t, await engine.output(['logs', 'small'], { timeoutMs: 180_000 }), 'small');
  checkLines(t, (await following).stdout, 'tty');
  t.equal(await engine.output(['wait', 'two']), '137\n');
});

t.test(
  'without an engine a container waits when its spool is full, and goes on after',
  { skip },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await engine.loadBusybox();
    const line = '0123456789'.repeat(10);
    const shared = t.testdir({});
    const go = join(shared, 'go');
    await runCommand('mkfifo', [go]);
    const script = `read -r _ </shared/go; yes ${line} | head -n 100000; echo over; exit 5`;
    const id = await run(engine, 'one', script, '-v', `${shared}:/shared`, '--log-opt', 'max-size=100m');
    const directory = join(engine.runRoot, 'containers', id);
    const sizes = () =>
      segments.map((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size);
    await engine.stop('SIGKILL');
    const watcher = watch(directory);
    t.teardown(() => watcher.close());
    const changes = on(watcher, 'change');
    await writeFile(go, '\n');
    for await (const _ of changes) if (sizes()[0] === segmentBytes) break;
    // Nothing tells of what does not happen.
    await delay(300);
    t.same(sizes(), [segmentBytes, undefined], 'one segment is full, and no other begun');
    await engine.start();
    t.equal(await engine.output(['wait', 'one']), '5\n');
    const lines = (await engine.output(['logs', 'one'], { timeoutMs: 60_000 })).split('\n');
    t.equal(lines.length, 100_002);
    t.ok(lines.slice(0, 100_000).every((text) => text === line));
    t.notOk(existsSync(directory), 'nothing is left of the run');
  },
);

t.test('logs -f ends with the container, and has its last words', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await run(engine, 'one', 'mkfifo /tmp/go; echo first; read -r line </tmp/go; echo -n last');
  const following = engine.output(['logs', '-f', 'one']);
  const go = 'until [ -p /tmp/go ]; do usleep 1000; done; echo >/tmp/go';
  // It may be ended with the container.
  await engine.docker(['exec', 'one', 'sh', '-c', go]);
  t.equal(await following, 'first\nlast');
});
