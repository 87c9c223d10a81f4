import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { ticksOf } from '../helpers/process-usage.ts';
import { processesWith } from '../helpers/processes.ts';
import { runCommand } from '../helpers/run-command.ts';
import { MachineHarness } from './machine-harness.ts';

/** A machine that nobody needs stops, and goes on when somebody comes, by whichever way. */
const missing = MachineHarness.missing();
const patienceMs = 180_000;
/** Longer than a machine must be idle to be suspended, and than that takes. */
const twiceIdleMs = 20_000;

t.test(
  'an idle machine is suspended, and nobody notices',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    const machine = (...args: string[]) => harness.succeed(...args);
    await machine('create', '--suspend-after', '10s', 'nap');
    const directory = join(harness.store, 'machines', 'nap');
    const onSocket = ['-H', `unix://${join(directory, 'docker.sock')}`];
    const docker = (...args: string[]) => runCommand('docker', [...onSocket, ...args], { env: harness.env });
    const state = async () => (await harness.machine(['status', 'nap'])).stdout.trim();
    const suspended = async () => {
      const deadline = Date.now() + patienceMs;
      while ((await state()) !== 'Paused') {
        if (Date.now() > deadline) throw new Error('it was never suspended');
        await delay(500);
      }
    };
    const log = () => readFileSync(join(directory, 'supervisor.log'), 'utf8');
    const times = (what: string) => log().split(what).length - 1;

    await t.test('it takes no processor time', { skip: process.platform !== 'linux' }, async (t) => {
      await suspended();
      const { pid } = JSON.parse(readFileSync(join(directory, 'qemu.json'), 'utf8')) as { pid: number };
      const before = ticksOf(pid);
      await delay(10_000);
      t.equal(await state(), 'Paused', 'who only asks how it is does not wake it');
      const ticks = ticksOf(pid) - before;
      t.ok(ticks <= 2, `${ticks} ticks`);
      t.match(
        (await harness.machine(['doctor', 'nap'])).stdout,
        /ok +machine +suspended until somebody connects/,
      );
    });

    await t.test('many clients at once wake it by the socket, and the clock is right', async (t) => {
      await suspended();
      const asked = Date.now();
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => docker('info', '--format', '{{.SystemTime}}')),
      );
      for (const { exitCode, stderr } of answers) t.equal(exitCode, 0, stderr);
      const [first] = answers.map(({ stdout }) => Date.parse(stdout.trim()) - asked).sort((a, b) => a - b);
      t.ok(first! > -1500, `the clock is ${first} ms from when it was asked`);
      t.equal(await state(), 'Running');
    });

    await t.test('a container keeps it running', async (t) => {
      t.equal((await docker('run', '-d', '--name', 'busy', 'busybox', 'sleep', '3600')).exitCode, 0);
      const before = times('suspend: suspended');
      await delay(twiceIdleMs);
      t.equal(await state(), 'Running');
      t.equal(times('suspend: suspended'), before);
      t.equal((await docker('rm', '-f', 'busy')).exitCode, 0);
    });

    await t.test('a client by TCP wakes it, and so does ssh', async (t) => {
      await suspended();
      t.match(await harness.docker('nap', ['run', '--rm', 'busybox', 'echo', 'awake']), {
        stdout: 'awake\n',
      });
      await suspended();
      t.equal(await machine('ssh', 'nap', 'echo in'), 'in');
    });

    await t.test(
      'a supervisor that was killed meanwhile is no end',
      { skip: process.platform !== 'linux' },
      async (t) => {
        await suspended();
        for (const pid of processesWith('supervise', 'nap', harness.store)) process.kill(pid, 'SIGKILL');
        await machine('env', 'nap');
        const deadline = Date.now() + patienceMs;
        while ((await state()) !== 'Running' && Date.now() < deadline) await delay(200);
        t.equal((await harness.docker('nap', ['version'])).exitCode, 0);
      },
    );

    await t.test('it can be started, stopped and changed while it is suspended', async (t) => {
      await suspended();
      await machine('start', 'nap');
      t.equal(await state(), 'Running');
      await suspended();
      await machine('stop', 'nap');
      t.equal(await state(), 'Stopped');
      await machine('start', 'nap');
      await suspended();
      await machine('start', '--suspend-after', 'never', 'nap');
      await delay(twiceIdleMs);
      t.equal(await state(), 'Running');
    });
  },
);
