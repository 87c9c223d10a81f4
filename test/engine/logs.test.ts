import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test('logs are complete after the engine was killed again and again', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  // Each line comes in two pieces, so that kills hit lines that have only begun. (A container that writes
  // without any pause may lose a piece: in one of ten kills, measured with `echo` in a loop.)
  const script = 'i=0; while :; do echo -n $((i+=1)); usleep 2000; echo; done';
  await engine.output(['run', '-d', '--network', 'none', '--name', 'writer', 'busybox', 'sh', '-c', script]);
  for (let kill = 0; kill < 8; kill++) {
    await delay(50 + Math.random() * 150);
    await engine.stop('SIGKILL');
    await engine.start();
  }
  await engine.output(['kill', 'writer']);
  const numbers = (await engine.output(['logs', 'writer'])).trimEnd().split('\n').map(Number);
  const expected = numbers.map((_, i) => i + 1);
  t.ok(numbers.length > 100, `${numbers.length} lines`);
  t.ok(JSON.stringify(numbers) === JSON.stringify(expected), 'each line once, in order');
});

t.test('logs -f ends with the container, and has its last words', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const script = 'echo first; read -r line </tmp/go; echo -n last';
  const command = ['sh', '-c', `mkfifo /tmp/go; ${script}`];
  await engine.output(['run', '-d', '--network', 'none', '--name', 'one', 'busybox', ...command]);
  const following = engine.output(['logs', '-f', 'one']);
  await engine.output([
    'exec',
    'one',
    'sh',
    '-c',
    'until [ -p /tmp/go ]; do usleep 1000; done; echo >/tmp/go',
  ]);
  t.equal(await following, 'first\nlast');
});
