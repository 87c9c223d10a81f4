import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { mainLoopRests } from '../../../drivers/qemu/wakeups.ts';

const linux = { skip: process.platform !== 'linux' && 'only Linux tells how often a thread has slept' };

async function running(t: Test, script: string): Promise<number> {
  const child = spawn(process.execPath, ['-e', `console.log('runs'); ${script}`]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child.pid!;
}

t.test('who waits for something rests', async (t) => {
  t.ok(await mainLoopRests(await running(t, 'setInterval(() => {}, 1000)')));
});

t.test('who wakes every few milliseconds does not', linux, async (t) => {
  t.notOk(await mainLoopRests(await running(t, 'setInterval(() => {}, 3)')));
});

t.test('who has ended rests', async (t) => {
  t.ok(await mainLoopRests(2 ** 30));
});
