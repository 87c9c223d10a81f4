import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../helpers/run-command.ts';
import { testDirectories } from './directories-suite.ts';
import { MachineHarness } from './machine-harness.ts';

const missing = MachineHarness.missing();
t.test(
  'directories of this computer in a machine, by SFTP',
  { skip: missing ?? false, timeout: 1_200_000 },
  async (t) => {
    await testDirectories(t, {
      type: 'sftp',
      async additional(t, { harness, project, docker }) {
        await t.test('come back to running containers when the supervisor was killed', async (t) => {
          const state = join(harness.store, 'machines', 'dev', 'supervisor.json');
          const { pid } = JSON.parse(await readFile(state, 'utf8')) as { pid: number };
          // `machine env`, which the harness asks each time, would start another supervisor.
          const env = { ...harness.env, ...(await harness.environment('dev')) };
          process.kill(pid, 'SIGKILL');
          const lost = await runCommand('docker', ['exec', 'watching', 'cat', '/src/watched'], { env });
          t.not(lost.exitCode, 0, 'an error, no hang');
          t.match(lost.stderr, /Input\/output error/);
          await harness.machine(['status', 'dev']);
          // The command does not wait for the supervisor that it starts.
          let found = lost;
          for (let tries = 0; found.exitCode !== 0 && tries < 40; tries++) {
            await new Promise((resolve) => setTimeout(resolve, 500));
            found = await docker('exec', 'watching', 'cat', '/src/watched');
          }
          t.equal(found.stdout, 'after, and longer', found.stderr);
          t.equal(
            (await docker('run', '--rm', '-v', `${project}:/src`, 'busybox', 'cat', '/src/watched')).stdout,
            'after, and longer',
          );
        });
      },
    });
  },
);
