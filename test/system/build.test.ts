import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { useBuildx } from '../helpers/buildx.ts';
import { MachineHarness } from './machine-harness.ts';

/** Both doors of the builder over TLS, where node:http2 sits on node:tls. */
const missing = MachineHarness.missing();

t.test(
  'images are built in a machine',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    const withoutBuildx = await useBuildx(harness.env);
    const context = join(harness.store, 'context');
    mkdirSync(context);
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM busybox\nRUN echo built >/x\nCOPY a /a\nCMD ["cat", "/x", "/a"]\n',
    );
    writeFileSync(join(context, 'a'), 'copied\n');
    const docker = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      const result = await harness.docker('build', args, { cwd: context, timeoutMs: 120_000, env });
      t.equal(result.exitCode, 0, `docker ${args.join(' ')}: ${result.stderr}`);
      return result.stdout;
    };
    t.equal((await harness.machine(['create', 'build'])).exitCode, 0);

    await docker(['build', '-t', 'classic', '.'], { DOCKER_BUILDKIT: '0' });
    t.equal(await docker(['run', '--rm', 'classic']), 'built\ncopied\n');

    await t.test(
      'by buildx, again and again',
      { ...(withoutBuildx && { skip: withoutBuildx }) },
      async (t) => {
        const env = { DOCKER_BUILDKIT: '1' };
        const id = await docker(['images', '-q', '--no-trunc', 'classic']);
        for (let round = 1; round <= 5; round++)
          t.equal(
            await docker(['build', '-q', '-t', 'buildx', '.'], env),
            id,
            'the same image, from the same cache',
          );
        await docker(['build', '--no-cache', '-t', 'buildx', '.'], env);
        t.equal(await docker(['run', '--rm', 'buildx']), 'built\ncopied\n');
      },
    );
  },
);
