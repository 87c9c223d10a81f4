import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { DockerRegistry } from '../helpers/docker-registry.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { openBuildx as open } from './buildx-lab.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);

const mebibyte = 1024 * 1024;

t.test(
  'a base image that is pulled is shown layer by layer, by both doors',
  { skip: skip || (DockerRegistry.missing() ?? false) },
  async (t) => {
    const opened = await open(t, { Dockerfile: 'FROM busybox\nCOPY big /\n' });
    if (typeof opened === 'string') return t.plan(0, opened);
    const { engine, context, built } = opened;
    const registry = await DockerRegistry.open(t);
    const name = `${registry.host}/base:1`;
    writeFileSync(join(context, 'big'), randomBytes(3 * mebibyte));
    const pushed = await built('--push', '-t', name, '.');
    t.match(pushed, /pushing layer [0-9a-f]{12} .*done/);
    t.match(pushed, /pushing manifest sha256:[0-9a-f]{64} done/);
    writeFileSync(join(context, 'On'), `FROM ${name}\nRUN test -s /big\n`);
    writeFileSync(join(context, 'Elsewhere'), `FROM ${name}\nLABEL a=b\n`);
    await engine.output(['rmi', '-f', name]);
    const foreign = await built('--platform', 'linux/arm64', '-t', 'foreign', '-f', 'Elsewhere', '.');
    t.match(foreign, /1 warning found/, 'an image for one platform is taken for another');
    t.equal(await engine.output(['image', 'inspect', '-f', '{{.Architecture}}', 'foreign']), 'arm64\n');
    await engine.output(['rmi', '-f', 'foreign']);
    const forget = async () => {
      await engine.output(['rmi', '-f', name]);
      await engine.output(['image', 'prune', '-f']);
      await engine.output(['builder', 'prune', '-af']);
    };
    await forget();
    const said = await built('-f', 'On', '.');
    t.match(said, new RegExp(`\\[internal\\] load metadata for ${name}`));
    t.match(said, /^#\d+ sha256:[0-9a-f]{12} [\d.]+MB \/ [\d.]+MB (?:[\d.]+s )?done$/m);
    t.match(said, /^#\d+ extracting sha256:[0-9a-f]{12} .*done$/m);
    await forget();
    const classic = await engine.output(['build', '-f', 'On', '.'], {
      cwd: context,
      env: { DOCKER_BUILDKIT: '0' },
    });
    t.match(classic, /^1: Pulling from base$/m);
    t.match(classic, /^[0-9a-f]{12}: Pull complete$/m);
  },
);

t.test(
  'the cache is kept below its limit by itself, and pruned to what is asked for',
  { skip },
  async (t) => {
    const opened = await open(
      t,
      {
        Dockerfile: `FROM busybox
ARG N
RUN --mount=type=cache,target=/c echo $N >>/c/n; dd if=/dev/urandom of=/big bs=1M count=3
`,
      },
      ['--build-cache-limit', '10m'],
    );
    if (typeof opened === 'string') return t.plan(0, opened);
    const { engine, built } = opened;
    t.match(await engine.output(['buildx', 'inspect']), /Keep Bytes:\s+10MiB/);
    const sizes = async () => {
      const { stdout } = await engine.docker(['system', 'df', '--format', 'json']);
      const rows = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      return rows.find(({ Type }) => Type === 'Build Cache');
    };
    const isCached = async (n: number) =>
      /CACHED/.test(
        (await built('--build-arg', `N=${n}`, '--output', 'type=cacheonly', '.')).replace(
          /FROM.*\n.*CACHED/g,
          '',
        ),
      );
    for (const n of [1, 2, 3]) await isCached(n);
    t.equal((await sizes()).Size, '9.437MB', 'three layers of 3 MiB, and a few bytes');
    await isCached(1);
    await built('--build-arg', 'N=4', '-t', 'kept', '.');
    await isCached(5);
    const reached = async () => {
      for (let tries = 0; tries < 60; tries++) {
        if (parseFloat((await sizes()).Size) < 10.5) return true;
        await setTimeout(250);
      }
      return false;
    };
    t.ok(await reached(), 'what is too much goes by itself');
    t.ok(await isCached(4), 'what an image has stays');
    t.ok(await isCached(5), 'what was used last stays');
    t.ok(await isCached(1), 'what was used again stays');
    t.notOk(await isCached(2), 'what was used least recently goes');

    const { stdout } = await engine.docker(['builder', 'prune', '-f', '--keep-storage', '4mb']);
    t.match(stdout, /Total:\s+[\d.]+MB/);
    t.equal((await sizes()).Size, '3.146MB');
    t.ok(await isCached(2), 'the latest is left');
    t.equal(
      (await engine.output(['run', '--rm', 'kept', 'stat', '-c', '%s', '/big'])).trim(),
      `${3 * mebibyte}`,
    );
  },
);
