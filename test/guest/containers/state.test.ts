import t from 'tap';
import { denial, next, type State } from '../../../guest/containers/state.ts';

const created: State = { status: 'created', exitCode: 0, error: '' };
const running: State = { status: 'running', pid: 7, startedAt: '2024-01-01T00:00:00Z' };
const at = '2024-01-01T00:00:05Z';
const exited = next(running, { type: 'exited', exitCode: 3, oomKilled: false, at, restarts: false });
const who = { id: 'f00', name: 'web' };

t.test('a container lives from created to exited', async (t) => {
  t.same(next(created, { type: 'started', pid: 7, startedAt: running.startedAt }), running);
  t.match(exited, { status: 'exited', exitCode: 3, startedAt: running.startedAt, finishedAt: at });
  t.match(next(next(running, { type: 'paused' }), { type: 'unpaused' }), running);
});

t.test('a start that fails leaves the state with its code and message', async (t) => {
  const failed = { type: 'startFailed', exitCode: 127, error: 'not found', at } as const;
  t.same(next(created, failed), { status: 'created', exitCode: 127, error: 'not found' });
  t.match(next(exited, failed), { status: 'exited', exitCode: 127, startedAt: running.startedAt });
});

t.test('an event that cannot happen changes nothing', async (t) => {
  t.equal(next(created, { type: 'paused' }), created);
  t.equal(next(exited, { type: 'exited', exitCode: 0, oomKilled: false, at, restarts: false }), exited);
});

t.test("wishes are refused in dockerd's words and classes", async (t) => {
  t.match(denial(running, 'start', who), { httpStatus: 304 });
  t.match(denial(exited, 'stop', who), { httpStatus: 304 });
  t.match(denial(exited, 'kill', who), { httpStatus: 409, message: /^container f00 is not running/ });
  t.match(denial(running, 'remove', who), { httpStatus: 409, message: /stop the container before removing/ });
  t.equal(denial(exited, 'remove', who), null);
  t.match(denial(next(running, { type: 'paused' }), 'exec', who), { httpStatus: 409, message: /is paused/ });
});
