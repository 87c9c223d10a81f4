import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { useBuildx } from '../helpers/buildx.ts';
import { foreignBusybox } from '../helpers/foreign-busybox.ts';
import { MachineHarness } from './machine-harness.ts';

/** Programs of another architecture, in a machine without an emulator and in the same one with it. */
const missing = MachineHarness.missing();
const [foreign, name, native] =
  process.arch === 'arm64'
    ? (['amd64', 'x86_64', 'arm64'] as const)
    : (['arm64', 'aarch64', 'amd64'] as const);
const platform = `linux/${foreign}`;

t.test(
  'a machine runs programs of other architectures when its OS image has emulators',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    const withoutBuildx = await useBuildx(harness.env);
    const machine = (...args: string[]) => harness.succeed(...args);
    const docker = (args: readonly string[], options = {}) =>
      harness.docker('archs', args, { timeoutMs: 300_000, ...options });
    const run = (...args: string[]) => docker(['run', '--rm', '--platform', platform, 'foreign', ...args]);
    const context = join(harness.store, 'context');
    mkdirSync(context);
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM foreign\nRUN uname -m >/built-on\nCMD ["cat", "/built-on"]\n',
    );
    const build = (buildKit: '0' | '1') =>
      docker(['build', '--no-cache', '--platform', platform, '-t', `built-${buildKit}`, context], {
        env: { DOCKER_BUILDKIT: buildKit },
      });

    await machine('create', 'archs');
    const imported = await docker(['import', '--platform', platform, '-', 'foreign'], {
      input: await foreignBusybox(foreign),
    });
    t.equal(imported.exitCode, 0, imported.stderr);

    await t.test('without one, programs are refused with what to type', async (t) => {
      const advice = `no emulator for ${platform} here; machine restart --with qemu-user archs brings one`;
      const refused = await run('uname', '-m');
      t.match(refused.stderr, `exec format error: unknown: there is ${advice}`);
      t.equal(refused.exitCode, 125);
      const classic = await build('0');
      t.not(classic.exitCode, 0);
      t.match(classic.stdout + classic.stderr, advice);
      // Files of other platforms are no programs.
      t.equal(
        (await docker(['create', '--platform', platform, '--name', 'files', 'foreign', 'true'])).exitCode,
        0,
      );
      t.equal((await docker(['cp', 'files:/bin/busybox', harness.store])).exitCode, 0);
      t.equal((await docker(['rm', 'files'])).exitCode, 0);
      if (withoutBuildx === undefined) {
        const { stdout } = await docker(['buildx', 'ls']);
        t.match(stdout, `linux/${native}`);
        t.notMatch(stdout, platform);
        const built = await build('1');
        t.not(built.exitCode, 0);
        t.match(built.stderr, advice);
      }
    });

    await t.test('what was refused works after what was to be typed', async (t) => {
      const { exitCode, stderr } = await harness.machine(['start', '--with', 'qemu-user', 'archs']);
      t.equal(exitCode, 1);
      t.match(stderr, 'runs with another OS image; machine restart --with qemu-user archs changes it');
      await machine('restart', '--with', 'qemu-user', 'archs');
      t.match(await run('uname', '-m'), { stdout: `${name}\n`, exitCode: 0 });
      t.match(await run('sh', '-c', 'echo "$0"; exit 7'), { stdout: 'sh\n', exitCode: 7 });
      t.match(await docker(['run', '--rm', 'busybox', 'uname', '-m']), {
        stdout: process.arch === 'arm64' ? 'aarch64\n' : 'x86_64\n',
      });
    });

    await t.test('builds run them, with and without BuildKit', async (t) => {
      for (const door of withoutBuildx === undefined ? (['0', '1'] as const) : (['0'] as const)) {
        const built = await build(door);
        t.equal(built.exitCode, 0, built.stderr);
        const image = `built-${door}`;
        t.match(await docker(['image', 'inspect', '-f', '{{.Os}}/{{.Architecture}}', image]), {
          stdout: `${platform}\n`,
        });
        t.match(await docker(['run', '--rm', '--platform', platform, image]), { stdout: `${name}\n` });
      }
      if (withoutBuildx === undefined) t.match((await docker(['buildx', 'ls'])).stdout, platform);
    });

    await t.test('the machine keeps its emulators until it is told otherwise', async (t) => {
      await machine('stop', 'archs');
      await machine('start', 'archs');
      t.match(await run('uname', '-m'), { stdout: `${name}\n` });
      await machine('restart', '--with', 'none', 'archs');
      t.equal((await run('uname', '-m')).exitCode, 125);
    });
  },
);
