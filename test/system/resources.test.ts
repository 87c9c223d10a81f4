import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { residentMiB, ticksOf } from '../helpers/process-usage.ts';
import { MachineHarness } from './machine-harness.ts';

/** What a machine takes of this computer, and gives back. Counted in bytes and in processor time, never in seconds. */
const missing = MachineHarness.missing();
/** Of the container's files and memory. */
const filledMiB = 200;
/** How long what is given back may take: the journal's commit, the balloon's reports, on a busy computer. */
const patienceMs = 120_000;

t.test(
  'a machine gives back what it does not need',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    const machine = (...args: string[]) => harness.succeed(...args);
    const docker = async (...args: string[]) => {
      const result = await harness.docker('idle', args);
      t.equal(result.exitCode, 0, `docker ${args.join(' ')}: ${result.stderr}`);
      return result.stdout.trim();
    };
    await machine('create', 'idle');
    const directory = join(harness.store, 'machines', 'idle');
    const diskMiB = async () => (await stat(join(directory, 'disk.qcow2'))).blocks / 2048;
    const { pid: qemu } = JSON.parse(readFileSync(join(directory, 'qemu.json'), 'utf8')) as { pid: number };
    const supervisor = JSON.parse(await machine('status', '--json', 'idle')).Supervisor.Pid as number;
    const atMost = async (what: string, most: number, now: () => number | Promise<number>) => {
      const deadline = Date.now() + patienceMs;
      while ((await now()) > most && Date.now() < deadline) await delay(1000);
      const last = Math.round(await now());
      t.ok(last <= most, `${what}: ${last} MiB, at most ${Math.round(most)}`);
    };

    await t.test('the disk, after a prune', { skip: process.platform === 'win32' }, async (t) => {
      const before = await diskMiB();
      // From urandom, since zeros would not take any space.
      await docker(
        ...['run', '--name', 'filler', 'busybox', 'sh', '-c'],
        `dd if=/dev/urandom of=/big bs=1M count=${filledMiB} 2>/dev/null; sync`,
      );
      const filled = await diskMiB();
      t.ok(filled > before + filledMiB * 0.9, `${Math.round(before)} MiB, then ${Math.round(filled)}`);
      await docker('system', 'prune', '-f');
      await atMost('the disk on this computer', filled - filledMiB * 0.8, diskMiB);
    });

    await t.test('memory, after a container', { skip: process.platform !== 'linux' }, async (t) => {
      await docker(
        ...['run', '-d', '--name', 'hog', '--tmpfs', `/memory:size=${filledMiB * 2}m`, 'busybox', 'sh', '-c'],
        `dd if=/dev/zero of=/memory/x bs=1M count=${filledMiB} 2>/dev/null; echo full; sleep 600`,
      );
      while ((await docker('logs', 'hog')) !== 'full') await delay(500);
      const filled = residentMiB(qemu);
      t.ok(filled > filledMiB, `${filled} MiB`);
      await docker('rm', '-f', 'hog');
      await atMost('the memory of QEMU', filled - filledMiB * 0.7, () => residentMiB(qemu));
    });

    await t.test('the processor, when idle', { skip: process.platform !== 'linux' }, async (t) => {
      // What comes after hello is done by now; what the prune and the container left gets time to end.
      await delay(15_000);
      const before = [qemu, supervisor].map(ticksOf);
      await delay(15_000);
      const [vm, host] = [qemu, supervisor].map((pid, i) => ticksOf(pid) - before[i]!);
      t.comment(`QEMU ${vm} ticks, supervisor ${host} ticks`);
      t.ok(vm! <= 100, `QEMU took ${vm! * 10} ms of 15 s`);
      t.ok(host! <= 30, `the supervisor took ${host! * 10} ms of 15 s`);
      const agent = await machine(
        ...['ssh', 'idle'],
        'pid=$(cat /run/machine/agent.pid); cat /proc/$pid/stat; sleep 15; cat /proc/$pid/stat',
      );
      const [first, last] = agent.split('\n').map(ticksOf);
      t.comment(`agent ${last! - first!} ticks`);
      t.ok(last! - first! <= 30, `the agent took ${(last! - first!) * 10} ms of 15 s`);
    });
  },
);
