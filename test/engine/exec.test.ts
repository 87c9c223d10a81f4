import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { Hijacked } from '../helpers/hijacked.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test('exec runs with what it is told, and otherwise with what the container has', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const container = [
    '--name',
    'box',
    '--network',
    'none',
    '-e',
    'OWN=1',
    '-w',
    '/tmp',
    '--oom-score-adj',
    '300',
  ];
  await engine.output(['run', '-d', ...container, 'busybox', 'sleep', '1000']);
  const exec = (options: readonly string[], ...command: readonly string[]) =>
    engine.docker(['exec', ...options, 'box', ...command], options.includes('-i') ? { input: 'in\n' } : {});
  const table: readonly (readonly [options: string[], command: string, output: string | RegExp])[] = [
    [[], 'echo $OWN; pwd; id -u', '1\n/tmp\n0\n'],
    [['-e', 'MORE=2', '-e', 'OWN=3'], 'echo $OWN $MORE', '3 2\n'],
    [['-w', '/etc'], 'pwd', '/etc\n'],
    [['-u', '99:0'], 'id -u; id -g', '99\n0\n'],
    [['-u', 'nobody'], 'id -u', '99\n'],
    [['-i'], 'cat', 'in\n'],
    [['-t'], 'tty', /^\/dev\/pts\/0\r\n$/],
    [[], 'cat /proc/self/oom_score_adj', '300\n'],
    [['-t'], 'cat /proc/self/oom_score_adj', '300\r\n'],
  ];
  for (const [options, command, stdout] of table)
    t.match(
      await exec(options, 'sh', '-c', command),
      { stdout, exitCode: 0 },
      [...options, command].join(' '),
    );

  const held = async (options: readonly string[]) =>
    BigInt(`0x${(await exec(options, 'sed', '-n', 's/^CapEff:\\s*//p', '/proc/self/status')).stdout.trim()}`);
  t.ok((await held(['--privileged'])) > (await held([])), 'privileged holds more');

  const failing: readonly (readonly [
    options: string[],
    command: string[],
    exitCode: number,
    stderr: RegExp,
  ])[] = [
    [[], ['nope'], 126, /exec: "nope": executable file not found in \$PATH/],
    [[], ['/etc/passwd'], 126, /exec: "\/etc\/passwd": permission denied/],
    [['-w', '/nope'], ['true'], 126, /nope/],
    [['-u', 'nope'], ['true'], 126, /unable to find user nope/],
    [[], ['sh', '-c', 'echo no >&2; exit 42'], 42, /^no\n$/],
  ];
  for (const [options, command, exitCode, stderr] of failing) {
    const result = await exec(options, ...command);
    t.match(`${result.stdout}${result.stderr}`, stderr, command.join(' '));
    t.equal(result.exitCode, exitCode);
  }

  await exec(['-d'], 'sh', '-c', 'mkfifo /tmp/pipe; echo detached >/tmp/pipe');
  t.equal(
    (await exec([], 'sh', '-c', 'until test -p /tmp/pipe; do :; done; cat /tmp/pipe')).stdout,
    'detached\n',
  );
});

t.test('an exec that ends at once and says nothing is answered, too', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output(['run', '-d', '--name', 'box', '--network', 'none', 'busybox', 'sleep', '1000']);
  // One in fifteen was lost when its end was waited for after it had come.
  for (let at = 0; at < 40; at++) {
    const { exitCode } = await engine.docker(['exec', 'box', 'false'], { timeoutMs: 20_000 });
    if (exitCode !== 1) t.fail(`exec number ${at} gave ${exitCode}`);
  }
  t.pass('none was lost');
});

t.test('a command is started once; who starts it again is told so as dockerd does', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output(['run', '-d', '--name', 'box', '--network', 'none', 'busybox', 'sleep', '1000']);
  const post = async (path: string, body: object) => {
    const headers = { 'Content-Type': 'application/json' };
    const asked = request({ socketPath: engine.socket, path, method: 'POST', headers });
    asked.end(JSON.stringify(body));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: answer.statusCode, text: await text(answer) };
  };
  const asked = { AttachStdin: true, AttachStdout: true, Cmd: ['cat'] };
  const { Id } = JSON.parse((await post('/containers/box/exec', asked)).text) as { Id: string };
  const first = await Hijacked.open(engine.socket, `/exec/${Id}/start`, {});

  // compose watch does so, and takes the command for failed when the answer is not 200.
  const again = await post(`/exec/${Id}/start`, {});
  t.match(again, { status: 200, text: `Error: Exec command ${Id} is already running\r\n` });
  t.match(await post(`/exec/${Id}/start`, { Detach: true }), { status: 409, text: /is already running/ });

  first.type('typed\n');
  await first.shows('typed\n');
  await engine.output(['exec', 'box', 'killall', 'cat']);
  await first.ended;
  t.match(await post(`/exec/${Id}/start`, {}), { status: 200, text: /has already run\r\n/ });
});
