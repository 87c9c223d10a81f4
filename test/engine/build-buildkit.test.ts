import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { DockerRegistry } from '../helpers/docker-registry.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { openBuildx as open, twoStages } from './buildx-lab.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);

t.test('docker buildx build: names, arguments, labels, files about the result', { skip }, async (t) => {
  const opened = await open(t, twoStages);
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context, built } = opened;
  const meta = join(engine.directory, 'meta.json');
  const iid = join(engine.directory, 'iid');
  const said = await built(
    ...['-t', 'made:1', '-t', 'also', '--build-arg', 'WHO=you', '--label', 'l=v'],
    ...['--metadata-file', meta, '--iidfile', iid, '.'],
  );
  t.match(said, /\[internal\] load build definition from Dockerfile/);
  t.match(said, /naming to docker\.io\/library\/made:1 done/);
  const id = (await engine.output(['image', 'inspect', '-f', '{{.Id}}', 'made:1'])).trim();
  t.equal(readFileSync(iid, 'utf8'), id);
  t.match(JSON.parse(readFileSync(meta, 'utf8')), {
    'buildx.build.ref': /^default\/default\/[a-z0-9]{25}$/,
    'containerimage.config.digest': id,
    'containerimage.digest': id,
    'image.name': 'docker.io/library/made:1,docker.io/library/also:latest',
  });
  t.equal(await engine.output(['image', 'inspect', '-f', '{{index .Config.Labels "l"}}', 'also']), 'v\n');
  t.equal(await engine.output(['run', '--rm', 'made:1']), 'hello you\na\nb\n');

  const again = await built('-t', 'made:1', '--build-arg', 'WHO=you', '--label', 'l=v', '.');
  const steps = [...again.matchAll(/^#(\d+) \[(?:base [2-9]|stage-1 )/gm)].map(([, step]) => step);
  t.ok(steps.length >= 4, 'every step is shown');
  for (const step of steps) t.match(again, new RegExp(`^#${step} CACHED$`, 'm'), `step ${step} is cached`);
  t.equal(
    (await engine.output(['image', 'inspect', '-f', '{{.Id}}', 'made:1'])).trim(),
    id,
    'the same image',
  );

  writeFileSync(join(context, 'sub/b.txt'), 'changed\n');
  await built('-t', 'made:1', '--build-arg', 'WHO=you', '.');
  t.equal(
    await engine.output(['run', '--rm', 'made:1']),
    'hello you\na\nchanged\n',
    'a changed file travels',
  );
  await built('-t', 'base', '--target', 'base', '--no-cache', '.');
  t.equal(await engine.output(['run', '--rm', 'base', 'cat', '/greeting']), 'hello world\n');
  t.equal(await engine.output(['run', '--rm', 'base', 'ls', '/data']), 'a.txt\nb.txt\n');
});

t.test('docker build finds buildx; ls, inspect, du and prune of the engine', { skip }, async (t) => {
  const opened = await open(t, { Dockerfile: 'FROM busybox\nRUN echo x >/x\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context } = opened;
  const { stdout } = await engine.docker(['build', '-q', '.'], { cwd: context });
  t.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
  t.match(await engine.output(['buildx', 'ls']), /^default\*\s+docker/m);
  t.match(await engine.output(['buildx', 'inspect']), /Platforms:\s+linux\//);
  t.match(await engine.output(['buildx', 'du']), /Total:/);
  await engine.output(['buildx', 'prune', '-af']);
  t.match(await engine.output(['buildx', 'du']), /Total:\s+0B/);
});

t.test('a step that fails shows its output, its lines and its exit code', { skip }, async (t) => {
  const opened = await open(t, { Dockerfile: 'FROM busybox\nRUN echo before; exit 7\nRUN echo never\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { build } = opened;
  const { stderr, exitCode } = await build('.');
  t.equal(exitCode, 1);
  t.match(stderr, /^ > \[2\/3\] RUN echo before; exit 7:$/m);
  t.match(stderr, /^ {3}2 \| >>> RUN echo before; exit 7$/m);
  t.match(stderr, /did not complete successfully: exit code: 7$/m);
  t.notMatch(stderr, /never$\n.*DONE/m);
  const parse = await build('-f', '-', '.');
  t.equal(parse.exitCode, 1, 'an empty Dockerfile');
});

t.test('a wrong Dockerfile is shown by its line', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: 'FROM busybox\nRUM echo\n',
    Other: 'FROM busybox\nCOPY nothing /\n',
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, build } = opened;
  const wrong = await build('.');
  t.equal(wrong.exitCode, 1);
  t.match(wrong.stderr, /^ {3}2 \| >>> RUM echo$/m);
  t.match(wrong.stderr, /ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: RUM/);
  const absent = await build('-f', 'Other', '.');
  t.match(absent.stderr, /^ {3}2 \| >>> COPY nothing \/$/m);
  t.match(absent.stderr, /ERROR: failed to solve: .*nothing/);
  const unknown = await engine.docker(['buildx', 'build', '--progress', 'plain', '-'], {
    input: 'ARG X\nFROM no.invalid/x\n',
  });
  t.match(unknown.stderr, /^ {3}2 \| >>> FROM no\.invalid\/x$/m);
  t.match(unknown.stderr, /^ERROR: failed to solve: .*no\.invalid/m);
  const none = await build('-f', 'Nowhere', '.');
  t.match(none.stderr, /failed to read dockerfile: open Nowhere: no such file or directory/);
});

t.test('secrets and ssh agents are there for one step', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: `FROM busybox
RUN --mount=type=secret,id=key cat /run/secrets/key | sha256sum >/sum
RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK"
RUN --mount=type=ssh,mode=741,uid=5,gid=6 test "$(stat -c '%u %g %a' "$SSH_AUTH_SOCK")" = "5 6 741"
`,
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, built } = opened;
  const key = join(engine.directory, 'key');
  writeFileSync(key, 'very secret\n');
  // buildx wants a socket; what is said on it is tested without a client (session/ssh-agent.test.ts).
  const agent = join(engine.directory, 'agent.sock');
  const server = createServer();
  server.listen(agent);
  await once(server, 'listening');
  t.teardown(() => server.close());
  await built('-t', 'made', '--secret', `id=key,src=${key}`, '--ssh', `default=${agent}`, '.');
  t.match(await engine.output(['run', '--rm', 'made', 'cat', '/sum']), /^[0-9a-f]{64}/);
  t.notMatch(await engine.output(['history', '--no-trunc', 'made']), /very secret/);
  t.notMatch(await engine.output(['run', '--rm', 'made', 'find', '/', '-xdev', '-path', '*secret*']), /key/);
});

t.test('what a Dockerfile may not mean is told, and can be asked for', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: 'FROM busybox as one\nRUN true\n',
    Strict: '# check=error=true\nFROM busybox as one\nRUN true\n',
    Other: '# syntax=someone/mine:1\nFROM busybox\n',
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context, build, built } = opened;
  t.match(await built('.'), /1 warning found/);
  t.match((await build('-f', 'Strict', '.')).stderr, /lint violation found for rules: FromAsCasing/);
  t.match((await build('-f', 'Other', '.')).stderr, /Other:1\n[\s\S]*it does not run someone\/mine:1/);
  const { stdout } = await engine.docker(['buildx', 'build', '--print=lint', '.'], {
    cwd: context,
    env: { BUILDX_EXPERIMENTAL: '1' },
  });
  t.match(stdout, /FromAsCasing/);
});

t.test('a step is the same when what it mounts of a stage is', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: `FROM busybox AS build
COPY bust /
RUN mkdir /out && echo foo >/out/foo
FROM busybox AS second
RUN --mount=from=build,src=out,target=/out,rw touch /out/bar && head -c 100 /dev/urandom | sha256sum >/unique
FROM scratch
COPY --from=second /unique /
`,
    bust: '0',
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { context, built } = opened;
  const out = join(context, 'results');
  const unique = async () => {
    await built('-o', out, '.');
    return readFileSync(join(out, 'unique'), 'utf8');
  };
  const first = await unique();
  writeFileSync(join(context, 'bust'), '1');
  t.equal(await unique(), first);
  const dockerfile = readFileSync(join(context, 'Dockerfile'), 'utf8');
  writeFileSync(join(context, 'Dockerfile'), dockerfile.replace('echo foo', 'echo other'));
  t.not(await unique(), first);
});

t.test('what triggers of a base image read is transferred', { skip }, async (t) => {
  const opened = await open(t, {
    Base: 'FROM busybox\nONBUILD COPY a /\n',
    Dockerfile: 'FROM base\nCOPY b /\n',
    a: 'A',
    b: 'B',
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, built } = opened;
  await built('-f', 'Base', '-t', 'base', '.');
  await built('-t', 'made', '.');
  t.equal(await engine.output(['run', '--rm', 'made', 'cat', '/a', '/b']), 'AB');
});

t.test('results go to a directory and to a tar of the client', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: `FROM busybox AS made
RUN mkdir -p /out/d && echo x >/out/d/x && ln /out/d/x /out/hard && ln -s d/x /out/link && chmod 4711 /out/hard && chown 5:6 /out/d
FROM scratch
COPY --from=made /out /
`,
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, built } = opened;
  const out = join(engine.directory, 'out');
  await built('-o', out, '.');
  t.same(readdirSync(out, { recursive: true }).sort(), ['d', 'd/x', 'hard', 'link']);
  t.equal(readFileSync(join(out, 'link'), 'utf8'), 'x\n');
  t.equal(statSync(join(out, 'd/x')).mode & 0o7777, 0o4711);
  const tar = join(engine.directory, 'out.tar');
  await built('-o', `type=tar,dest=${tar}`, '.');
  t.ok(statSync(tar).size > 1024);
  await built('--output', 'type=cacheonly', '.');
});

t.test('what a client gives up is stopped at once and leaves nothing', { skip }, async (t) => {
  const opened = await open(t, { Dockerfile: 'FROM busybox\nRUN echo running; sleep 1000\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context } = opened;
  const client = spawn('docker', ['buildx', 'build', '--progress', 'plain', '.'], {
    cwd: context,
    env: { ...process.env, ...engine.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for await (const chunk of client.stderr) {
    said += chunk;
    if (/^#\d+ [\d.]+ running$/m.test(said)) break;
  }
  const ended = once(client, 'exit');
  client.kill('SIGINT');
  await ended;
  // The engine's own end waits for what runs; its test for remains comes with the harness.
  const { stderr } = await engine.docker(['buildx', 'build', '--progress', 'plain', '-f', '-', context], {
    input: 'FROM busybox\nRUN ps\n',
  });
  t.match(stderr, /exporting to image/);
  t.same(engine.residue(), []);
});

t.test('contexts by name, from stdin, and what is refused', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: '# syntax=docker/dockerfile:1.7\nFROM other\nCOPY --from=more f /f\n',
    'more/f': 'from a named context\n',
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, build, built } = opened;
  const contexts = ['--build-context', 'more=more', '--build-context', 'other=docker-image://busybox'];
  await built(...contexts, '-t', 'made', '.');
  t.equal(await engine.output(['run', '--rm', 'made', 'cat', '/f']), 'from a named context\n');
  const stdin = await engine.docker(['buildx', 'build', '-t', 'fromstdin', '-'], {
    input: 'FROM busybox\nLABEL a=b\n',
  });
  t.equal(stdin.exitCode, 0, stdin.stderr);
  t.match(await build('--network', 'host', '--build-context', 'more=more', '--call', 'x', '.'), {
    exitCode: 125,
  });
});

t.test(
  'buildx pushes what it has built',
  { skip: skip || (DockerRegistry.missing() ?? false) },
  async (t) => {
    const opened = await open(t, twoStages);
    if (typeof opened === 'string') return t.plan(0, opened);
    const { engine, context, built, build } = opened;
    const registry = await DockerRegistry.open(t);
    t.match(await built('--push', '-t', `${registry.host}/made:1`, '.'), /pushing .*made:1 with docker/);
    const tags = await fetch(`${registry.url}/v2/made/tags/list`);
    t.same(await tags.json(), { name: 'made', tags: ['1'] });
    const name = `${registry.host}/made:1`;
    await engine.docker(['rmi', name]);
    writeFileSync(join(context, 'Dockerfile'), `FROM ${name} as a\nRUN echo $X $Y\nLABEL z=$Y\n`);
    // What buildx 0.15 and later call --check.
    const checked = await engine.docker(['buildx', 'build', '--print', 'lint', '.'], {
      cwd: context,
      env: { BUILDX_EXPERIMENTAL: '1' },
    });
    t.match(checked.stdout, /FromAsCasing/);
    t.match(checked.stdout, /UndefinedVar[\s\S]*'\$Y'/, 'its X is known');
    t.notMatch(checked.stdout, /'\$X'/);
    t.notMatch(
      await engine.output(['images']),
      /made/,
      'for which nothing of it was fetched but its configuration',
    );
    const refused = await build('--output', 'type=image,name=x,compression=zstd', '.');
    t.match(refused, { exitCode: 1, stderr: /does not support --output type=moby,compression=zstd/ });
  },
);

t.test('docker compose build', { skip }, async (t) => {
  const opened = await open(t, {
    ...twoStages,
    'compose.yaml':
      'name: built\nservices:\n  one: {build: ., command: cat all}\n  two: {build: {context: ., target: base}, command: cat /greeting}\n',
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context } = opened;
  const compose = (...args: string[]) =>
    engine.output(['compose', ...args], { cwd: context, timeoutMs: 120_000 });
  await compose('build');
  t.match(await compose('run', '--rm', '-T', 'two'), /^hello world/);
  t.match(
    await engine.output(['images', '--format', '{{.Repository}}']),
    /built-one[\s\S]*built-two|built-two[\s\S]*built-one/,
  );
  await compose('down');
  t.equal(
    existsSync(join(engine.runRoot, 'agents')) && readdirSync(join(engine.runRoot, 'agents')).length > 0,
    false,
  );
});
