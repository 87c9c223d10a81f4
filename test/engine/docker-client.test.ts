import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { type CommandOptions, runCommand } from '../helpers/run-command.ts';
import { EngineHarness } from './engine-harness.ts';

const missing = EngineHarness.missing();
if (missing !== undefined) t.plan(0, missing);
t.setTimeout(300_000);

const entry = join('dist', 'test', 'engine', 'docker-client-entry.js');
const engine = await EngineHarness.open(t);
await engine.loadBusybox();

function client(args: readonly string[], options: CommandOptions = {}) {
  return runCommand(process.execPath, [entry, ...args], { env: engine.env, timeoutMs: 60_000, ...options });
}

t.test('output, errors and exit codes arrive apart', async (t) => {
  const run = await client(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
  t.match(run, { stdout: 'out\n', stderr: 'err\n', exitCode: 7 });
  t.equal((await client(['run', '--rm', 'busybox', 'no-such-program'])).exitCode, 127);
  t.equal((await client(['run', '--rm', 'busybox', '/etc'])).exitCode, 126);
  t.equal((await client(['run', '--rm', '--network', 'nowhere', 'busybox'])).exitCode, 125);
});

t.test('stdin goes in to its end', async (t) => {
  const run = await client(['run', '-i', '--rm', 'busybox', 'cat'], { input: 'abc\n' });
  t.match(run, { stdout: 'abc\n', exitCode: 0 });
});

t.test('a container is run, seen, used and removed', async (t) => {
  const web = ['--name', 'web', '-e', 'GREETING=hello', '-p', '127.0.0.1::80'];
  t.match(await client(['run', '-d', ...web, 'busybox', 'sh', '-c', 'echo ready; exec sleep 1000']), {
    stdout: /^[0-9a-f]{64}\n$/,
  });
  t.match((await client(['ps'])).stdout, /busybox +"sh -c .* Up .* 127\.0\.0\.1:\d+->80\/tcp +web\n/);
  t.equal((await client(['exec', 'web', 'sh', '-c', 'echo $GREETING; exit 3'])).exitCode, 3);
  t.equal((await client(['exec', '-i', 'web', 'cat'], { input: 'through' })).stdout, 'through');
  t.equal((await client(['logs', 'web'])).stdout, 'ready\n');
  t.equal(JSON.parse((await client(['inspect', 'web'])).stdout)[0].Name, '/web');
  t.match(await client(['stop', '-t', '0', 'web']), { stdout: 'web\n', exitCode: 0 });
  t.match(await client(['rm', 'web', 'nobody']), {
    stdout: 'web\n',
    stderr: /No such container: nobody/,
    exitCode: 1,
  });
  t.match((await client(['images'])).stdout, /busybox +latest/);
});

t.test('a terminal has its size, and Ctrl-C goes to the container', async (t) => {
  const inner = `stty rows 33 cols 99; ${process.execPath} ${entry} run -it --rm busybox sh; echo code $?`;
  // socat gives the client a terminal of its own.
  const terminal = spawn('socat', ['-t9', '-', `SYSTEM:${inner},pty,setsid,ctty,stderr`], {
    env: { ...process.env, ...engine.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => terminal.kill());
  let shown = '';
  const ended = new AbortController();
  terminal.once('exit', () => ended.abort(new Error(`it ended; it showed: ${shown}`)));
  const until = async (pattern: RegExp) => {
    while (!pattern.test(shown)) shown += (await once(terminal.stdout, 'data', ended))[0];
    t.match(shown, pattern);
    shown = '';
  };
  await until(/# /);
  terminal.stdin.write('stty size; cat\n');
  await until(/\n33 99\r/);
  terminal.stdin.write('typed\n');
  await until(/typed\r+\ntyped\r/);
  terminal.stdin.write('\u0003');
  await until(/\^C.*# /s);
  terminal.stdin.write('exit 5\n');
  await until(/code 5/);
});
