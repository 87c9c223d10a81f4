import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { residentMiB } from '../helpers/process-usage.ts';
import { virtiofsdEnvironment } from '../helpers/virtiofsd.ts';
import { testDirectories } from './directories-suite.ts';
import { MachineHarness } from './machine-harness.ts';
import { testAttributeEvents } from './virtiofs-events.ts';

const missing =
  process.platform === 'linux' ? MachineHarness.missing() : 'only Linux hosts can have virtiofsd';
const patienceMs = 120_000;
/** Of the container's memory, to be given back. */
const filledMiB = 200;

t.test(
  'directories of this computer in a machine, by virtiofs',
  { skip: missing ?? false, timeout: 1_200_000 },
  async (t) => {
    await testDirectories(t, {
      type: 'virtiofs',
      env: await virtiofsdEnvironment(),
      async additional(t, { harness, project, docker }) {
        const pidIn = async (file: string) =>
          JSON.parse(await readFile(join(harness.directory('dev'), file), 'utf8'));
        const inSrc = (...args: string[]) => docker('run', '--rm', '-v', `${project}:/src`, ...args);

        await t.test('keep a process that is not root to modes, as on this computer', async (t) => {
          const write = (directory: string) =>
            inSrc('--user', '4711:4711', 'busybox', 'touch', `/src/${directory}/by-other`);
          await mkdir(join(project, 'mine'), { mode: 0o755 });
          t.match((await write('mine')).stderr, /Permission denied/);
          await mkdir(join(project, 'ours'));
          await inSrc('busybox', 'chmod', '777', '/src/ours');
          t.equal((await write('ours')).exitCode, 0);
          const { uid } = await stat(join(project, 'ours', 'by-other'));
          t.equal(uid, userInfo().uid === 0 ? 4711 : userInfo().uid);
        });

        await t.test('make no devices on this computer', async (t) => {
          t.match((await inSrc('busybox', 'mknod', '/src/device', 'b', '7', '0')).stderr, /not permitted/);
        });

        await t.test('are said by doctor to raise other events', async (t) => {
          const { stdout } = await harness.machine(['doctor', 'dev']);
          t.match(stdout, /ok +directories +2 by virtiofs; programs in containers hear of changes/);
        });

        await t.test('raise events in containers when they are changed on this computer', async (t) => {
          await testAttributeEvents(t, { project, docker });
        });

        await t.test('need no supervisor', async (t) => {
          process.kill(await harness.supervisor('dev'), 'SIGKILL');
          t.equal((await docker('exec', 'watching', 'cat', '/src/watched')).stdout, 'after, and longer');
        });

        await t.test('come through a suspension', async (t) => {
          await docker('rm', '-f', 'watching');
          await harness.succeed('start', '--suspend-after', '10s', 'dev');
          const deadline = Date.now() + patienceMs;
          while ((await harness.succeed('status', 'dev')) !== 'Paused' && Date.now() < deadline)
            await delay(500);
          t.equal(await harness.succeed('status', 'dev'), 'Paused');
          await writeFile(join(project, 'meanwhile'), 'written');
          t.equal((await inSrc('busybox', 'cat', '/src/meanwhile')).stdout, 'written');
          await harness.succeed('start', '--suspend-after', 'never', 'dev');
        });

        await t.test('do not keep memory from being given back', async (t) => {
          const { pid } = await pidIn('qemu.json');
          // What was read before lies between what will be free, of which only large blocks are given back.
          await harness.succeed(
            ...['ssh', 'dev', 'sync; echo 3 >/proc/sys/vm/drop_caches; echo 1 >/proc/sys/vm/compact_memory'],
          );
          await docker(
            ...[
              'run',
              '-d',
              '--name',
              'hog',
              '--tmpfs',
              `/memory:size=${filledMiB * 2}m`,
              'busybox',
              'sh',
              '-c',
            ],
            `dd if=/dev/zero of=/memory/x bs=1M count=${filledMiB} 2>/dev/null; echo full; sleep 600`,
          );
          while ((await docker('logs', 'hog')).stdout.trim() !== 'full') await delay(500);
          const most = residentMiB(pid) - filledMiB * 0.4;
          await docker('rm', '-f', 'hog');
          const deadline = Date.now() + patienceMs;
          while (residentMiB(pid) > most && Date.now() < deadline) await delay(1000);
          t.ok(residentMiB(pid) <= most, `${residentMiB(pid)} MiB, at most ${most}`);
        });

        await t.test(
          'are said to hang when their server was killed, and a restart brings them back',
          async (t) => {
            const [{ pid }] = await pidIn('virtiofsd.json');
            await docker(
              'run',
              '-d',
              '--name',
              'reading',
              '-v',
              `${project}:/src`,
              'busybox',
              'sh',
              '-c',
              'while :; do cat /src/watched >/dev/null; sleep 1; done',
            );
            process.kill(pid, 'SIGKILL');
            t.equal((await harness.machine(['status', 'dev'])).stdout.trim(), 'Error');
            t.match(
              (await harness.machine(['doctor', 'dev'])).stdout,
              /virtiofsd has ended.*machine restart dev/,
            );
            await harness.succeed('restart', 'dev');
            t.equal((await inSrc('busybox', 'cat', '/src/watched')).stdout, 'after, and longer');
          },
        );

        await t.test('leave no process when the machine is turned off', async (t) => {
          const servers = (await pidIn('virtiofsd.json')) as { pid: number; started: string }[];
          t.equal(servers.length, 2);
          await harness.succeed('kill', 'dev');
          const { isAlive } = await import('../../drivers/process-identity.ts');
          const alive = async () => (await Promise.all(servers.map(isAlive))).includes(true);
          const deadline = Date.now() + 10_000;
          while ((await alive()) && Date.now() < deadline) await delay(100);
          t.notOk(await alive());
          await harness.succeed('start', 'dev');
        });
      },
    });
  },
);
