import { spawnSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Cancelled, Unavailable } from '../../drivers/errors.ts';
import { acquireLock, lockHolder } from '../../provisioning/lock.ts';

t.test('one caller at a time has the lock, also in one process', async (t) => {
  const directory = t.testdir();
  let inside = 0;
  let most = 0;
  const work = async () => {
    await using _lock = await acquireLock(directory, 'thing');
    inside += 1;
    most = Math.max(most, inside);
    await new Promise(setImmediate);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, work));
  t.equal(most, 1);
  t.same(await readdir(directory), [], 'nothing is left');
});

t.test('different resources do not wait for each other', async (t) => {
  const directory = t.testdir();
  await using _a = await acquireLock(directory, 'a');
  await using _b = await acquireLock(directory, 'a-b');
  t.equal((await readdir(directory)).length, 2);
});

t.test('a claim of a process that has died is nobody’s', async (t) => {
  const directory = t.testdir();
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  await writeFile(join(directory, `thing~${pid}~123~dead`), '');
  t.equal(await lockHolder(directory, 'thing'), null);
  await using _lock = await acquireLock(directory, 'thing', { timeoutMs: 0 });
  t.equal((await readdir(directory)).length, 1, 'the dead claim is swept');
});

t.test('a claim whose pid was given to another process is nobody’s', async (t) => {
  const directory = t.testdir({ [`thing~${process.pid}~1~old`]: '' });
  t.equal(await lockHolder(directory, 'thing'), null);
});

t.test('waiting ends with a deadline or an abort, and says who has the lock', async (t) => {
  const directory = t.testdir();
  await using _lock = await acquireLock(directory, 'thing');
  t.equal((await lockHolder(directory, 'thing'))?.pid, process.pid);
  const holders: number[] = [];
  const onWait = ({ pid }: { pid: number }) => holders.push(pid);
  await t.rejects(acquireLock(directory, 'thing', { timeoutMs: 0, onWait }), {
    constructor: Unavailable,
    message: new RegExp(`process ${process.pid} `),
  });
  t.same(holders, [process.pid]);
  const signal = AbortSignal.abort();
  await t.rejects(acquireLock(directory, 'thing', { signal }), { name: Cancelled.name });
  t.equal((await readdir(directory)).length, 1, 'only the holder’s claim is there');
});
