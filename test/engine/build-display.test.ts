import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { Terminal } from '../helpers/terminal.ts';
import { openBuildx as open } from './buildx-lab.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);

t.test('a build at a terminal draws its steps, and what a failing one said', { skip }, async (t) => {
  const opened = await open(t, { Dockerfile: 'FROM busybox\nCOPY f /\nRUN echo said; sleep 1\n', f: 'f' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context } = opened;
  const build = (...args: string[]) =>
    // Output is shown below steps where the terminal has room for it.
    new Terminal(
      `stty rows 50 cols 120; docker buildx build --progress tty ${args.join(' ')} ${context}`,
      engine.env,
    );
  const good = build('-t', 'made');
  await good.shows('FINISHED');
  t.equal(await good.exitCode, 0);
  t.match(good.shown, /\[\+\] Building \d\.\ds \(\d\/\d\)/, 'it is drawn while it goes on');
  t.match(good.shown, / => \[3\/3\] RUN echo said; sleep 1/);
  t.match(good.shown, / => => # said/, 'what the step says is shown below it');
  t.match(good.shown, / => => naming to docker\.io\/library\/made:latest/);
  const again = build();
  await again.shows(' => CACHED [3/3] RUN echo said');

  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nRUN echo why; exit 3\n');
  const bad = build();
  t.equal(await bad.exitCode, 1);
  t.match(bad.shown, /=> ERROR \[2\/2\] RUN echo why; exit 3/);
  t.match(bad.shown, /\d\.\d+ why\r?$/m);
  t.match(bad.shown, /^ {3}2 \| >>> RUN echo why; exit 3\r?$/m);
  t.match(bad.shown, /ERROR: failed to solve: process .* did not complete successfully: exit code: 3/);
});

t.test('docker compose build with arguments, targets and secrets', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: `FROM busybox AS base
ARG WHO=nobody
RUN --mount=type=secret,id=key echo "$WHO $(cat /run/secrets/key)" >/who
FROM base AS top
RUN echo top >>/who
`,
    key: 'secret',
    'compose.yaml': `name: args
services:
  base: {build: {context: ., target: base, args: {WHO: base}, secrets: [key]}, command: cat /who}
  top: {build: {context: ., args: [WHO=top], secrets: [key], labels: [a=b], tags: ['also:1']}, command: cat /who}
secrets: {key: {file: ./key}}
`,
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context } = opened;
  const compose = (...args: string[]) =>
    engine.output(['compose', ...args], { cwd: context, timeoutMs: 120_000 });
  await compose('build');
  t.equal(await engine.output(['run', '--rm', 'args-base', 'cat', '/who']), 'base secret\n');
  t.equal(await engine.output(['run', '--rm', 'also:1', 'cat', '/who']), 'top secret\ntop\n');
  t.equal(await engine.output(['image', 'inspect', '-f', '{{.Config.Labels.a}}', 'args-top']), 'b\n');
  await compose('build', '--build-arg', 'WHO=given', 'base');
  t.match(await engine.output(['run', '--rm', 'args-base', 'cat', '/who']), /^given/);
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nRUN false\n');
  const failed = await engine.docker(['compose', 'build', 'base'], { cwd: context });
  t.not(failed.exitCode, 0);
});

t.test('the classic builder has no secrets and agents, and says so', { skip }, async (t) => {
  const opened = await open(t, {});
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine } = opened;
  for (const [mount, complaint] of [
    ['type=secret,id=key,required=true', 'secret key: not found; build with --secret id=key,src=FILE'],
    ['type=ssh,required=true', 'no SSH agent "default" was offered; build with --ssh default'],
  ] as const) {
    const { exitCode, stderr } = await engine.docker(['build', '-'], {
      input: `FROM busybox\nRUN --mount=${mount} true\n`,
      env: { DOCKER_BUILDKIT: '0' },
    });
    t.equal(exitCode, 1);
    t.ok(stderr.includes(complaint), stderr);
  }
});
