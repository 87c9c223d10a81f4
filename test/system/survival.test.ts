import t from 'tap';
import { processesWith } from '../helpers/processes.ts';
import { MachineHarness } from './machine-harness.ts';

/** What must survive: containers an agent's death, acknowledged containers a power cut. */
const missing = MachineHarness.missing();
t.test('a machine that suffers', { ...(missing && { skip: missing }), timeout: 1_800_000 }, async (t) => {
  const harness = await MachineHarness.openFor(t);
  await harness.succeed('create', 'sorry');
  const env = await harness.environment('sorry');
  const docker = (...args: string[]) => harness.docker('sorry', args, { env });
  const answering = () => docker('version', '--format', '{{.Server.Version}}');

  await t.test('kill -9 of the agent: containers run on, logs are complete, exit codes right', async (t) => {
    const counter =
      'i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); [ $((i % 40)) = 0 ] && sleep 1; done; exit 9';
    t.equal((await docker('run', '-d', '--name', 'counter', 'busybox', 'sh', '-c', counter)).exitCode, 0);
    t.equal(
      (await docker('run', '-d', '--name', 'short', 'busybox', 'sh', '-c', 'sleep 1; echo bye; exit 3'))
        .exitCode,
      0,
    );
    t.equal((await docker('run', '-d', '--name', 'steady', 'busybox', 'sleep', '100000')).exitCode, 0);
    const before = (await docker('inspect', '-f', '{{.State.Pid}} {{.State.StartedAt}}', 'steady')).stdout;

    const killed = await harness.machine(['ssh', 'sorry', killAgent]);
    t.equal(killed.exitCode, 0, killed.stderr);
    t.equal((await retry(answering)).exitCode, 0, 'the agent is back');

    t.equal((await docker('inspect', '-f', '{{.State.Pid}} {{.State.StartedAt}}', 'steady')).stdout, before);
    t.equal((await docker('exec', 'steady', 'echo', 'alive')).stdout, 'alive\n');
    t.equal((await docker('wait', 'short')).stdout, '3\n');
    t.equal((await docker('logs', 'short')).stdout, 'bye\n');
    t.equal((await docker('wait', 'counter')).stdout, '9\n');
    const expected = Array.from({ length: 400 }, (_, i) => `line ${i}\n`).join('');
    t.equal((await docker('logs', 'counter')).stdout, expected);
    t.equal((await docker('rm', '-f', 'counter', 'short', 'steady')).exitCode, 0);
  });

  await t.test(
    'power cut while 50 containers are created: every acknowledged one is there and whole',
    async (t) => {
      const acknowledged = new Set<string>();
      let creations: Promise<void>[] = [];
      await new Promise<void>((enough) => {
        creations = Array.from({ length: 50 }, async (_, i) => {
          const { exitCode } = await docker('create', '--name', `c${i}`, 'busybox', 'echo', `I am ${i}`);
          if (exitCode === 0) acknowledged.add(`c${i}`);
          if (acknowledged.size === 15) enough();
        });
        Promise.all(creations).then(() => enough());
      });
      const qemu = processesWith('qemu-system', harness.store);
      t.equal(qemu.length, 1);
      process.kill(qemu[0]!, 'SIGKILL');
      await Promise.all(creations);
      t.ok(acknowledged.size < 50, `the cut fell in the middle (${acknowledged.size} acknowledged)`);

      t.equal((await harness.machine(['status', 'sorry'])).stdout, 'Stopped\n');
      const started = await harness.machine(['start', 'sorry']);
      t.equal(started.exitCode, 0, started.stderr);
      const listed = (await docker('ps', '-a', '--format', '{{.Names}}')).stdout.split('\n').filter(Boolean);
      t.same(
        [...acknowledged].filter((name) => !listed.includes(name)),
        [],
        'nothing acknowledged is lost',
      );
      for (const name of listed) {
        t.equal((await docker('start', '-a', name)).stdout, `I am ${name.slice(1)}\n`, `${name} is whole`);
      }
      const integrity = await harness.machine(['ssh', 'sorry', 'dmesg | grep -ci "ext4.*error" || true']);
      t.equal(integrity.stdout.trim(), '0');
    },
  );
});

/** In the guest: the first field of `ps` is the pid. */
const killAgent = `kill -9 $(ps | awk '/[a]gent.cjs engine/ { print $1 }')`;

/** An agent that was killed is respawned by init; clients see refused connections until it answers. */
async function retry(attempt: () => Promise<{ exitCode: number }>, deadlineMs = 60_000) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const result = await attempt();
    if (result.exitCode === 0 || Date.now() > end) return result;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
