import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { acquireLock } from '../../images/lock.ts';

t.test('a second holder waits for the first', async (t) => {
  const path = join(t.testdir(), 'cache', 'build.lock');
  const order: string[] = [];
  const first = await acquireLock(path);
  const second = acquireLock(path).then((lock) => {
    order.push('second');
    return lock;
  });
  await new Promise((resolve) => setImmediate(resolve));
  order.push('first released');
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  t.strictSame(order, ['first released', 'second']);
  t.notOk(existsSync(path));
});

t.test('the lock of a process that is gone is taken over', async (t) => {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('exit', resolve));
  const path = join(t.testdir(), 'build.lock');
  writeFileSync(path, `${child.pid} 1\n`);
  await using _lock = await acquireLock(path);
  t.match(readFileSync(path, 'utf8'), new RegExp(`^${process.pid} `));
});

const skip = process.platform === 'linux' ? false : 'start times are read from /proc';
t.test('a process that was given the number of the holder is not the holder', { skip }, async (t) => {
  const path = join(t.testdir(), 'build.lock');
  writeFileSync(path, `${process.pid} 1\n`);
  await using _lock = await acquireLock(path);
  t.notMatch(readFileSync(path, 'utf8'), / 1\n$/);
});

t.test('an abort ends the wait', async (t) => {
  const path = join(t.testdir(), 'build.lock');
  await using _lock = await acquireLock(path);
  const abort = new AbortController();
  const waiting = acquireLock(path, abort.signal);
  setImmediate(() => abort.abort());
  await t.rejects(waiting, { name: 'AbortError' });
});
