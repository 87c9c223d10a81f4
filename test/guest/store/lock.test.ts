import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { lockDataRoot } from '../../../guest/store/lock.ts';

t.test('a held lock is refused, and can be had again when it was given back', async (t) => {
  const path = join(t.testdir({}), 'engine.lock');
  const lock = lockDataRoot(path);
  t.throws(() => lockDataRoot(path), {
    name: 'Conflict',
    message: /an engine already runs on this data root/,
  });
  lock[Symbol.dispose]();
  lockDataRoot(path)[Symbol.dispose]();
});

t.test('the lock of a process that was killed is free', async (t) => {
  const path = join(t.testdir({}), 'engine.lock');
  const module = join(process.cwd(), 'dist', 'guest', 'store', 'lock.js');
  const script = `import {lockDataRoot} from '${module}'; lockDataRoot('${path}'); console.log('locked'); setInterval(() => {}, 1e6)`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  t.throws(() => lockDataRoot(path), { name: 'Conflict' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  lockDataRoot(path)[Symbol.dispose]();
});
