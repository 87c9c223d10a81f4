/**
 * A hundred containers at once in a machine of 4 GiB: how long they take to start, ten at a time, what memory they
 * take of the guest, and how long the lists of them take then.
 * Usage: node dist/test/bench/scale.js [containers]
 */
import { MachineHarness } from '../system/machine-harness.ts';
import { timed } from './measure.ts';

const count = Number(process.argv[2] ?? 100);
const atOnce = 10;
const harness = await MachineHarness.open();
try {
  const created = await harness.machine(['create', '--qemu-memory', '4096', 'scale']);
  if (created.exitCode !== 0) throw new Error(created.stderr);
  const env = await harness.environment('scale');
  const docker = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await harness.docker('scale', args, { env, timeoutMs: 600_000 });
    if (exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const inGuest = async (command: string) => (await harness.machine(['ssh', 'scale', command])).stdout;
  const usedKiB = async () =>
    Number(/^Mem: +\d+ +(\d+)/m.exec(await inGuest('echo 3 >/proc/sys/vm/drop_caches; free -k'))?.[1]);

  await docker('run', '--rm', 'busybox', 'true');
  const before = await usedKiB();
  const starting = await timed(async () => {
    for (let first = 0; first < count; first += atOnce) {
      const batch = Array.from({ length: Math.min(atOnce, count - first) }, (_, i) => `c${first + i}`);
      await Promise.all(batch.map((name) => docker('run', '-d', '--name', name, 'busybox', 'sleep', '1000')));
    }
  });
  const grown = (await usedKiB()) - before;
  const running = (await docker('ps', '-q')).trim().split('\n').length;
  if (running !== count) throw new Error(`${running} of ${count} run`);
  const rss = /VmRSS:\s+(\d+)/.exec(await inGuest('cat /proc/$(pidof node)/status'))?.[1];
  const line = (what: string, value: string) => console.log(`${what.padEnd(44)}${value}`);
  line(`${count} containers started, ${atOnce} at once`, `${(starting / 1000).toFixed(1)} s`);
  line('memory of the guest for each', `${(grown / count / 1024).toFixed(2)} MiB, its program included`);
  line('the agent, resident', `${(Number(rss) / 1024).toFixed(0)} MiB`);
  for (const args of [['ps'], ['stats', '--no-stream'], ['inspect', 'c0', 'c1']])
    line(`docker ${args.join(' ')}`, `${(await timed(() => docker(...args))).toFixed(0)} ms`);
  const names = Array.from({ length: count }, (_, i) => `c${i}`);
  line('docker rm -f of all', `${((await timed(() => docker('rm', '-f', ...names))) / 1000).toFixed(1)} s`);
} finally {
  await harness.close();
}
