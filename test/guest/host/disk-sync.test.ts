import t from 'tap';
import { DiskSync } from '../../../guest/host/disk-sync.ts';
import { ProcessError } from '../../../guest/host/exec.ts';
import { commandLineOf, withDescendants } from '../../helpers/processes.ts';

t.test('several at once, and names that a shell would take apart', async (t) => {
  const directory = t.testdir({ "a b'$(x)\\": {} });
  const disk = new DiskSync();
  await Promise.all([disk.sync(directory), disk.sync(`${directory}/a b'$(x)\\`), disk.sync('/')]);
});

t.test('what cannot be synced is said, and the next is synced', async (t) => {
  const disk = new DiskSync();
  const directory = t.testdir();
  const results = await Promise.allSettled([disk.sync(`${directory}/missing`), disk.sync(directory)]);
  t.match(results, [{ status: 'rejected', reason: /missing.*No such file/ }, { status: 'fulfilled' }]);
  t.type((results[0] as PromiseRejectedResult).reason, ProcessError);
});

t.test('a shell that dies fails what waits for it, and another takes its place', async (t) => {
  const before = new Set(shells());
  const disk = new DiskSync();
  const directory = t.testdir();
  await disk.sync(directory);
  const [shell = 0] = shells().filter((pid) => !before.has(pid));
  process.kill(shell, 'SIGSTOP');
  const waiting = disk.sync(directory);
  process.kill(shell, 'SIGKILL');
  await t.rejects(waiting, { message: /shell has ended/ });
  await disk.sync(directory);
});

function shells(): number[] {
  return withDescendants([process.pid]).filter((pid) => commandLineOf(`${pid}`).includes('sync -f'));
}
