import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import t from 'tap';
import { systemSocket } from '../../provisioning/docker-context/system-socket.ts';
import { FakeRegistry } from '../helpers/fake-registry.ts';
import { dockerArchiveOf } from '../helpers/large-archive.ts';
import { processesWith } from '../helpers/processes.ts';
import { runCommand } from '../helpers/run-command.ts';
import { Terminal } from '../helpers/terminal.ts';
import { MachineHarness } from './machine-harness.ts';
import { namesMissing, registryName, testNames } from './names-suite.ts';

/** What lies between this computer and a running machine, as users and their programs see it. */
const missing = MachineHarness.missing();

/** What a supervisor may have at most; kept in memory, the upload alone would be as much (more: api-socket.test.ts). */
const supervisorMiB = 75;
const uploadMiB = supervisorMiB;

t.test(
  'a machine and its supervisor',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    const machine = (...args: string[]) => harness.succeed(...args);
    const docker = (...args: string[]) => runCommand('docker', args, { env: harness.env });
    const directory = harness.directory('dev');
    const socket = join(directory, 'docker.sock');
    const supervisors = () => processesWith('supervise', 'dev', harness.store);
    const onSocket = harness.onSocket('dev');

    const registry = await FakeRegistry.open(t);
    const named = `${registryName}:${registry.host.split(':')[1]}`;
    await machine('create', '--engine-insecure-registry', named, 'dev');

    await t.test('is well when create returns', async (t) => {
      t.equal(supervisors().length, 1);
      const { Supervisor } = JSON.parse(await machine('status', '--json', 'dev'));
      t.equal(Supervisor.Pid, supervisors()[0]);
      // Containers that publish something wait for the ports by themselves, and who asks for a name for the host.
      for (const { Name, Ready } of Supervisor.Services)
        t.ok(Ready || Name === 'ports' || Name === 'names', Name);
      t.match(await machine('status', 'dev'), /^Running$/);
      const examine = async () =>
        JSON.parse((await harness.machine(['doctor', '--json', 'dev'])).stdout) as {
          name: string;
          ok: boolean;
        }[];
      // The guest is busy, and its clock's readings late.
      let checks = await examine();
      await eventually(async () => {
        checks = await examine();
        return checks.every(({ ok }) => ok);
      }, 30_000);
      for (const name of [
        'supervisor',
        'service socket',
        'service clock',
        'API socket',
        'clock',
        'docker context',
      ])
        t.ok(
          checks.some((one) => one.name === name && one.ok),
          name,
        );
    });

    await t.test('docker --context reaches it, and machine use chooses it', async (t) => {
      const run = await docker('--context', 'machine-dev', 'run', '--rm', 'busybox', 'echo', 'by context');
      t.match(run, { stdout: 'by context\n', exitCode: 0 });
      t.match((await docker('context', 'show')).stdout, 'default');
      await machine('use', 'dev');
      t.match(await docker('context', 'show'), { stdout: 'machine-dev\n' });
      t.match(await docker('run', '--rm', 'busybox', 'echo', 'chosen'), { stdout: 'chosen\n' });
      await machine('use', '--unset');
      t.match((await docker('context', 'show')).stdout, 'default');
    });

    const isFree = lstatSync(systemSocket, { throwIfNoEntry: false }) === undefined;
    const skip = process.getuid?.() !== 0 ? 'needs root' : !isFree && `${systemSocket} is somebody else’s`;
    await t.test(
      'machine use --system puts it where programs look that know no other place',
      { skip },
      async (t) => {
        await machine('use', '--system', 'dev');
        t.teardown(() => rmSync(systemSocket, { force: true }));
        t.match(await docker('run', '--rm', 'busybox', 'echo', 'there'), { stdout: 'there\n' });
        const { stdout } = await runCommand('curl', ['-s', '--unix-socket', systemSocket, 'http://d/_ping']);
        t.equal(stdout, 'OK');
        await machine('use', '--system', '--unset');
        t.notOk(existsSync(systemSocket));
      },
    );

    await t.test('stdin that ends, exit codes and stderr pass', async (t) => {
      const cat = await runCommand(
        'docker',
        [...onSocket, 'run', '-i', '--rm', 'busybox', 'sh', '-c', 'wc -c; echo e >&2; exit 7'],
        {
          env: harness.env,
          input: 'x'.repeat(1_000_000),
        },
      );
      t.match(cat, { stdout: '1000000\n', stderr: 'e\n', exitCode: 7 });
    });

    await t.test('a terminal in an exec session works', async (t) => {
      await docker(...onSocket, 'run', '-d', '--name', 'up', 'busybox', 'sleep', '3600');
      const terminal = new Terminal(`docker -H unix://${socket} exec -it up sh`, harness.env);
      await terminal.shows('/ #');
      terminal.type('tty && echo $((6 * 7)) && exit 5\n');
      await terminal.shows('/dev/pts/0');
      await terminal.shows('42');
      t.equal(await terminal.exitCode, 5);
      await docker(...onSocket, 'rm', '-f', 'up');
    });

    await t.test('events, attach and large uploads pass without filling memory', async (t) => {
      const pid = supervisors()[0]!;
      const before = rssOf(pid);
      let most = before;
      const watching = setInterval(() => {
        most = Math.max(most, rssOf(pid));
      }, 100);
      const load = spawn('docker', [...onSocket, 'load'], {
        env: { ...process.env, ...harness.env },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const said: string[] = [];
      createInterface({ input: load.stdout }).on('line', (line) => said.push(line));
      const ended = once(load, 'close');
      for await (const chunk of dockerArchiveOf('large:1', uploadMiB * 1024 ** 2))
        if (!load.stdin.write(chunk)) await once(load.stdin, 'drain');
      load.stdin.end();
      t.same(await ended, [0, null]);
      clearInterval(watching);
      t.match(said.join('\n'), /Loaded image: large:1/);
      t.comment(`resident: ${before} KiB before, ${most} KiB at most`);
      t.ok(most <= supervisorMiB * 1024, `${most} KiB for ${uploadMiB} MiB`);
      t.equal((await docker(...onSocket, 'rmi', 'large:1')).exitCode, 0);
    });

    const killSupervisor = async () => {
      const [killed] = supervisors();
      process.kill(killed!, 'SIGKILL');
      while (existsSync(`/proc/${killed}`)) await delay(10);
      return killed;
    };

    await t.test('comes back when it was killed, once however many commands ask', async (t) => {
      const killed = await killSupervisor();
      await Promise.all([machine('env', 'dev'), machine('env', 'dev'), machine('url', 'dev'), machine('ls')]);
      await eventually(async () => (await docker(...onSocket, 'version')).exitCode === 0);
      await eventually(async () => supervisors().length === 1);
      t.not(supervisors()[0], killed);
      await machine('env', 'dev');
      t.equal(supervisors().length, 1);
    });

    await t.test('the clock is right within seconds, after being wrong and after a pause', async (t) => {
      const differenceMs = async () => {
        const client = new Docker({ socketPath: socket });
        const found = [];
        for (let round = 0; round < 4; round += 1) {
          const asked = Date.now();
          const { SystemTime } = await client.info();
          const answered = Date.now();
          found.push({ way: answered - asked, by: Date.parse(SystemTime) - (asked + answered) / 2 });
        }
        return found.sort((a, b) => a.way - b.way)[0]!.by;
      };
      const rightAgain = async (what: string) => {
        const since = Date.now();
        for (let now = await differenceMs(); ; now = await differenceMs()) {
          t.comment(`${what}: off by ${Math.round(now)} ms after ${Date.now() - since} ms`);
          if (Math.abs(now) <= 100) return;
          if (Date.now() - since > 25_000) return t.fail(`${what}: still off by ${now} ms`);
          await delay(1000);
        }
      };
      await machine('ssh', 'dev', 'date -s @$(($(date +%s) - 3600))');
      t.ok((await differenceMs()) < -3_000_000);
      await rightAgain('an hour behind');
      await monitor(join(directory, 'qmp.sock'), 'stop');
      await delay(12_000);
      await monitor(join(directory, 'qmp.sock'), 'cont');
      await rightAgain('paused');
    });

    const namesLack = namesMissing();
    await t.test(
      'names are resolved as this computer does',
      { ...(namesLack && { skip: namesLack }) },
      async (t) => {
        await testNames(t, {
          ...{ harness, registry, killSupervisor },
          docker: (...args) => docker(...onSocket, ...args),
        });
        await machine('env', 'dev');
        await eventually(async () => (await docker(...onSocket, 'version')).exitCode === 0);
      },
    );

    await t.test('stop ends it, a stopped machine has no socket, start brings both back', async (t) => {
      await machine('stop', 'dev');
      t.same(supervisors(), []);
      for (const file of ['docker.sock', 'supervisor.json']) t.notOk(existsSync(join(directory, file)), file);
      const { stdout, exitCode } = await harness.machine(['doctor', 'dev']);
      t.equal(exitCode, 1);
      t.match(stdout, /PROBLEM +machine +Stopped: machine start dev starts it/);
      await machine('start', 'dev');
      t.equal(supervisors().length, 1);
      t.equal((await docker(...onSocket, 'version')).exitCode, 0);
    });

    await t.test('a machine that loses power takes it along', async () => {
      await machine('kill', 'dev');
      await eventually(async () => supervisors().length === 0);
      await machine('start', 'dev');
      const [qemu] = processesWith('qemu-system', 'machine-dev', harness.store);
      process.kill(qemu!, 'SIGKILL');
      await eventually(async () => supervisors().length === 0);
    });

    await t.test('rm leaves no process, no socket and no context', async (t) => {
      await machine('start', 'dev');
      await machine('use', 'dev');
      await machine('rm', '-y', 'dev');
      t.same(processesWith(harness.store), []);
      t.notOk(existsSync(directory));
      t.notMatch((await docker('context', 'ls', '-q')).stdout, /machine-dev/);
      t.match(await docker('context', 'show'), { stdout: 'default\n', exitCode: 0 });
    });
  },
);

/** In KiB. */
function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

async function eventually(isTrue: () => Promise<boolean>, withinMs = 15_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('it did not come true');
    await delay(100);
  }
}

/** One command of QEMU's, by the monitor that users' commands use. */
async function monitor(path: string, command: string): Promise<void> {
  const qmp = connect(path);
  qmp.write(`{"execute":"qmp_capabilities"}\n{"execute":"${command}"}\n`);
  let answers = 0;
  for await (const line of createInterface({ input: qmp })) {
    if (line.includes('"return"')) answers += 1;
    if (answers === 2) break;
  }
  qmp.destroy();
}
