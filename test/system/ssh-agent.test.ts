import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { bring } from '../helpers/bring.ts';
import { useBuildx } from '../helpers/buildx.ts';
import { runCommand } from '../helpers/run-command.ts';
import { MachineHarness } from './machine-harness.ts';

const socket = '/run/host-services/ssh-auth.sock';
const missing = MachineHarness.missing();
t.test(
  'the user’s ssh-agent in a machine',
  { skip: missing ?? (await withoutOpenSsh()), timeout: 1_200_000 },
  async (t) => {
    const harness = await MachineHarness.open();
    const home = await realpath(await mkdtemp(join(tmpdir(), 'home-')));
    t.teardown(async () => {
      await harness.close();
      await rm(home, { recursive: true });
    });
    const withoutBuildx = await useBuildx(harness.env);
    const sshAdd = await bring('ssh-add', join(home, 'tools'));
    const first = await startAgent('first key');
    t.teardown(first.end);
    const env = { SSH_AUTH_SOCK: first.path };
    const created = await harness.machine(['create', '--mount', home, 'dev'], { env });
    t.equal(created.exitCode, 0, created.stderr);
    const docker = (...args: string[]) => harness.docker('dev', args, { cwd: home, timeoutMs: 300_000 });
    const withAgent = ['-v', `${socket}:/agent`, '-e', 'SSH_AUTH_SOCK=/agent'];
    const list = (...args: string[]) =>
      docker('run', '--rm', '-v', `${home}/tools:/tools`, ...args, 'busybox', ...sshAdd('/tools'), '-l');

    await t.test('is reached by a container that is given it, whoever runs there', async (t) => {
      const { stdout, stderr } = await list(...withAgent);
      t.match(stdout, 'first key', stderr);
      t.match((await list('--user', '4711', ...withAgent)).stdout, 'first key');
    });

    await t.test('serves many at once', async (t) => {
      const all = `for i in 1 2 3 4 5 6 7 8; do ${sshAdd('/tools').join(' ')} -l & done; wait`;
      const { stdout, stderr } = await docker(
        ...['run', '--rm', '-v', `${home}/tools:/tools`, ...withAgent, 'busybox', 'sh', '-c', all],
      );
      t.equal(stdout.match(/first key/g)?.length, 8, stderr);
    });

    await t.test('is not in a container that was not given it', async (t) => {
      const { stdout } = await docker(
        'run',
        '--rm',
        'busybox',
        'sh',
        '-c',
        'ls -A /run; find / -xdev -type s',
      );
      t.equal(stdout, '');
    });

    await t.test('is that of the client in a build', { skip: withoutBuildx ?? false }, async (t) => {
      await writeFile(
        join(home, 'Dockerfile'),
        `FROM busybox\nCOPY tools /tools\nRUN --mount=type=ssh ${sshAdd('/tools').join(' ')} -l >/keys\nCMD cat /keys\n`,
      );
      const built = await harness.docker('dev', ['build', '--ssh', 'default', '-t', 'keys', '.'], {
        cwd: home,
        timeoutMs: 300_000,
        env: { ...env, DOCKER_BUILDKIT: '1' },
      });
      t.equal(built.exitCode, 0, built.stderr);
      t.match((await docker('run', '--rm', 'keys')).stdout, 'first key');
    });

    await t.test('costs its supervisor nothing while nobody uses it', async (t) => {
      const state = join(harness.store, 'machines', 'dev', 'supervisor.json');
      const { pid } = JSON.parse(await readFile(state, 'utf8')) as { pid: number };
      const ticks = async () => {
        const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).split(') ')[1]!.split(' ');
        return Number(fields[11]) + Number(fields[12]);
      };
      const before = await ticks();
      await new Promise((resolve) => setTimeout(resolve, 15_000));
      // The clock is told the time once or twice.
      t.ok((await ticks()) - before <= 2);
    });

    await t.test('is an error of docker run when it is gone, and no hang', async (t) => {
      const container = await docker('create', ...withAgent, 'busybox', 'true');
      t.equal(container.exitCode, 0, container.stderr);
      await first.end();
      const { stderr, exitCode } = await list(...withAgent);
      t.equal(exitCode, 125);
      t.match(stderr, /your computer has no ssh-agent that answers; .*machine start dev/);
      t.equal((await docker('start', '-a', container.stdout.trim())).exitCode, 0, 'what is there starts');
    });

    await t.test('is the one that the last start saw', async (t) => {
      const second = await startAgent('second key');
      t.teardown(second.end);
      await harness.machine(['start', 'dev'], { env: { SSH_AUTH_SOCK: second.path } });
      t.match((await list(...withAgent)).stdout, 'second key');
    });
  },
);

async function withoutOpenSsh(): Promise<string | false> {
  const { exitCode } = await runCommand('sh', ['-c', 'command -v ssh-agent ssh-add ssh-keygen ldd']);
  return exitCode === 0 ? false : 'no OpenSSH client on this computer';
}

/** With one new key. */
async function startAgent(
  comment: string,
): Promise<{ readonly path: string; readonly end: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'agent-'));
  const path = join(directory, 'sock');
  const { stdout } = await runCommand('ssh-agent', ['-a', path]);
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)![1]);
  const key = join(directory, 'key');
  await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', key]);
  await runCommand('ssh-add', [key], { env: { SSH_AUTH_SOCK: path } });
  let ended = false;
  return {
    path,
    end: async () => {
      if (!ended) process.kill(pid);
      ended = true;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
