import t from 'tap';
import { ProcessError, run, tryRun } from '../../../guest/host/exec.ts';

t.test('input goes in and output comes out', async (t) => {
  const { stdout } = await run('cat', [], { input: 'abc' });
  t.equal(stdout.toString(), 'abc');
});

t.test('a failure tells the exit code and the last lines of stderr', async (t) => {
  const error = await run('sh', ['-c', 'echo one >&2; echo two >&2; exit 3']).catch((e: unknown) => e);
  t.ok(error instanceof ProcessError);
  t.match(error, { exitCode: 3, stderrTail: 'one\ntwo', message: 'sh failed (exit code 3): one\ntwo' });
});

t.test('a killed program has 128 and its signal as exit code', async (t) => {
  t.match(await tryRun('sh', ['-c', 'kill -9 $$']), { exitCode: 137 });
});

t.test('a program that is not there is a failure too', async (t) => {
  await t.rejects(run('no-such-program', []), { name: 'ProcessError', exitCode: 127 });
});

t.test('an aborted signal kills the program', async (t) => {
  const reason = new Error('enough');
  await t.rejects(run('cat', ['/dev/zero'], { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const running = run('sleep', ['100'], { signal: controller.signal });
  controller.abort(reason);
  await t.rejects(running, reason);
});

t.test('a program that ignores its input is judged by its exit code', async (t) => {
  t.match(await run('true', [], { input: 'x'.repeat(1 << 20) }), { exitCode: 0 });
});
