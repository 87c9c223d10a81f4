import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { runCommand } from '../helpers/run-command.ts';
import { makeTar } from '../helpers/tar.ts';
import { openBuildx as open } from './buildx-lab.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);

const dockerfile = 'FROM busybox\nCOPY f /f\n';

/** Serves files on loopback; returns the URL of its root. */
async function serve(t: Test, files: Readonly<Record<string, { type: string; body: Buffer | string }>>) {
  const server = createServer(({ url = '' }, answer) => {
    const file = files[url.slice(1)];
    if (file) answer.writeHead(200, { 'content-type': file.type }).end(file.body);
    else answer.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A repository behind `git daemon`: the branch `other` differs, `sub` has a Dockerfile too. */
async function serveRepository(t: Test, directory: string): Promise<string> {
  const repository = join(directory, 'repository');
  const git = async (...args: string[]) => {
    const user = ['-c', 'user.name=a', '-c', 'user.email=a@b.c'];
    const { exitCode, stderr } = await runCommand('git', [...user, '-C', repository, ...args]);
    if (exitCode !== 0) throw new Error(stderr);
  };
  const write = (text: string) => {
    for (const place of ['.', 'sub']) {
      writeFileSync(join(repository, place, 'Dockerfile'), dockerfile);
      writeFileSync(join(repository, place, 'f'), `${place} ${text}\n`);
    }
  };
  mkdirSync(join(repository, 'sub'), { recursive: true });
  await git('init', '-q', '-b', 'main');
  write('main');
  await git('add', '-A');
  await git('commit', '-qm', 'one');
  await git('checkout', '-qb', 'other');
  write('other');
  await git('commit', '-qam', 'two');
  await git('checkout', '-q', 'main');
  const daemon = spawn(
    'git',
    [
      'daemon',
      '--listen=127.0.0.1',
      '--port=9418',
      '--export-all',
      `--base-path=${directory}`,
      '--reuseaddr',
    ],
    { stdio: 'ignore' },
  );
  t.teardown(async () => {
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await ended;
  });
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(9418, '127.0.0.1');
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) break;
    await setTimeout(50);
  }
  return 'git://127.0.0.1/repository';
}

t.test('BuildKit finds a Dockerfile whose name is in small letters', { skip }, async (t) => {
  const opened = await open(t, { dockerfile, f: 'small\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  await opened.built('-t', 'small', '.');
  t.equal(await opened.engine.output(['run', '--rm', 'small', 'cat', '/f']), 'small\n');
  t.match(await opened.build('-f', 'nosuch', '.'), { exitCode: 1, stderr: /nosuch/ });
});

t.test('contexts from stdin, by both doors', { skip }, async (t) => {
  const opened = await open(t, { Dockerfile: dockerfile, f: 'file\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine } = opened;
  const tar = makeTar([
    { path: 'Dockerfile', content: dockerfile },
    { path: 'f', content: 'from a tar\n' },
    { path: 'sub/Other', content: 'FROM busybox\nCOPY f /g\n' },
  ]);
  for (const DOCKER_BUILDKIT of ['0', '1']) {
    const build = async (input: Buffer | string, ...flags: string[]) => {
      const args = ['build', '-t', 'made', ...flags, '-'];
      const { exitCode, stderr } = await engine.docker(args, { input, env: { DOCKER_BUILDKIT } });
      t.equal(exitCode, 0, stderr);
    };
    const cat = (path: string) => engine.output(['run', '--rm', 'made', 'cat', path]);
    await build(tar);
    t.equal(await cat('/f'), 'from a tar\n');
    await build(tar, '-f', 'sub/Other');
    t.equal(await cat('/g'), 'from a tar\n');
    await build('FROM busybox\nRUN echo alone >/alone\n');
    t.equal(await cat('/alone'), 'alone\n');
    const none = await engine.docker(['build', '-'], { input: dockerfile, env: { DOCKER_BUILDKIT } });
    t.match(none, { exitCode: 1, stderr: DOCKER_BUILDKIT === '0' ? /COPY failed/ : /failed to solve/ });
  }
});

t.test('contexts that the engine gets itself: repositories, archives, Dockerfiles', { skip }, async (t) => {
  const opened = await open(t, {});
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine } = opened;
  const repository = await serveRepository(t, engine.directory);
  const tar = makeTar([
    { path: 'Dockerfile', content: dockerfile },
    { path: 'f', content: 'archive\n' },
  ]);
  const url = await serve(t, {
    'context.tar': { type: 'application/x-tar', body: tar },
    Dockerfile: { type: 'text/plain', body: 'FROM busybox\nRUN echo plain >/f\n' },
  });
  // The classic client gets them itself and sends an archive, but for the API's own parameter.
  const classic = (remote: string) =>
    runCommand('curl', [
      ...['-s', '--unix-socket', engine.socket, '-X', 'POST'],
      `http://docker/build?t=made&remote=${encodeURIComponent(remote)}`,
    ]).then(({ stdout }) => stdout);
  const buildx = async (remote: string) => (await engine.docker(['build', '-t', 'made', remote])).stderr;
  for (const [remote, content] of [
    [repository, '. main\n'],
    [`${repository}#other`, '. other\n'],
    [`${repository}#main:sub`, 'sub main\n'],
    [`${url}/context.tar`, 'archive\n'],
    [`${url}/Dockerfile`, 'plain\n'],
  ] as const)
    for (const [door, build] of Object.entries({ classic, buildx })) {
      await engine.docker(['rmi', '-f', 'made']);
      const said = await build(remote);
      const { stdout } = await engine.docker(['run', '--rm', 'made', 'cat', '/f']);
      t.equal(stdout, content, `${door}, ${remote}: ${said.slice(-300)}`);
    }
  t.match(await classic(`${url}/none`), /error downloading remote context .*: status 404/);
  t.match(await buildx(`${url}/none`), /error downloading remote context .*: status 404/);
  t.match(await buildx(`${repository}#nosuch`), /cannot fetch git:.*couldn't find remote ref/);
});

t.test('ADD of URLs and repositories', { skip }, async (t) => {
  const opened = await open(t, {});
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine } = opened;
  const repository = await serveRepository(t, engine.directory);
  const body = 'downloaded\n';
  const url = await serve(t, { 'a/file': { type: 'text/plain', body } });
  const digest = createHash('sha256').update(body).digest('hex');
  const text = (checksum: string) => `FROM busybox
ADD --checksum=sha256:${checksum} ${url}/a/file /d/
ADD ${repository}#other /r
ADD --keep-git-dir=true ${repository} /k
RUN cat /d/file /r/f && test -d /k/.git && test ! -e /r/.git
`;
  for (const DOCKER_BUILDKIT of ['0', '1']) {
    const build = (checksum: string) =>
      engine.docker(['build', '-t', 'made', '-'], { input: text(checksum), env: { DOCKER_BUILDKIT } });
    const { exitCode, stderr } = await build(digest);
    t.equal(exitCode, 0, stderr);
    t.equal(await engine.output(['run', '--rm', 'made', 'cat', '/d/file', '/r/f']), 'downloaded\n. other\n');
    const wrong = await build(digest.replaceAll(/[0-9]/g, '0'));
    t.match(wrong, { exitCode: 1, stderr: new RegExp(`digest mismatch sha256:${digest}`) });
  }
});

t.test('named contexts that the engine gets itself, or that are image layouts', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: `FROM busybox
COPY --from=repo f /f
COPY --from=file context /file
COPY --from=layout /in-layout /
`,
    Layout: 'FROM busybox\nRUN echo layout >/in-layout\n',
    Only: 'FROM layout\n',
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context, build, built } = opened;
  const repository = await serveRepository(t, engine.directory);
  const url = await serve(t, { a: { type: 'application/x-tar', body: 'not unpacked\n' } });
  const layout = join(context, 'layout');
  const archive = join(engine.directory, 'layout.tar');
  await built('-f', 'Layout', '-t', 'x:1', '-o', `type=oci,dest=${archive},compression=zstd`, '.');
  mkdirSync(layout);
  await runCommand('tar', ['-xf', archive, '-C', layout]);
  const contexts = (repo: string, file: string, image: string) =>
    [`repo=${repo}`, `file=${file}`, `layout=oci-layout://${image}`].flatMap((one) => [
      '--build-context',
      one,
    ]);
  const said = await built(
    ...contexts(`${repository}#other:sub`, `${url}/a`, `${layout}:1`),
    '-t',
    'made',
    '.',
  );
  t.match(said, '[context repo] git://127.0.0.1/repository#other:sub');
  t.match(said, `[context file] ${url}/a`);
  t.match(said, '[context layout] load metadata for docker.io/library/layout@sha256:');
  const shown = ['run', '--rm', 'made', 'cat', '/f', '/file', '/in-layout'];
  t.equal(await engine.output(shown), 'sub other\nnot unpacked\nlayout\n');
  const again = await built(...contexts(`${repository}#other:sub`, `${url}/a`, `${layout}:1`), '.');
  t.equal([...again.matchAll(/^#\d+ CACHED$/gm)].length, 4, 'what has come again is known by its content');
  t.match(await build(...contexts(repository, `${url}/none`, `${layout}:1`), '.'), {
    exitCode: 1,
    stderr: /invalid response status 404 for http/,
  });
  t.match(await build(...contexts(`${repository}#nosuch`, `${url}/a`, `${layout}:1`), '.'), {
    exitCode: 1,
    stderr: /cannot fetch git:.*couldn't find remote ref nosuch/,
  });
  const foreign = ['-f', 'Only', '--platform', 'linux/s390x', '.'];
  t.match(await build('--build-context', `layout=oci-layout://${layout}:1`, ...foreign), {
    exitCode: 1,
    stderr: /does not match the specified platform \(linux\/s390x\)/,
  });
});

t.test('what a build gets comes through its proxies', { skip }, async (t) => {
  const opened = await open(t, { f: 'file\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context } = opened;
  await serveRepository(t, engine.directory);
  const { stderr } = await runCommand('git', [
    '-C',
    join(engine.directory, 'repository'),
    'update-server-info',
  ]);
  t.equal(stderr, '');
  // Knows hosts that nobody else does; proxies are asked for whole URLs.
  const asked: string[] = [];
  const proxy = createServer(({ url = '' }, answer) => {
    asked.push(url);
    const path = /^http:\/\/files\.test\/(.*?)(?:\?.*)?$/.exec(url)?.[1] ?? '';
    const inRepository = /^repository\.git\/(.*)$/.exec(path)?.[1];
    const file = inRepository && join(engine.directory, 'repository', '.git', inRepository);
    if (path === 'f') answer.end('through the proxy\n');
    else if (file && existsSync(file)) answer.end(readFileSync(file));
    else answer.writeHead(404).end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const text = `FROM busybox
ADD http://files.test/f /added
ADD http://files.test/repository.git#other /r
`;
  for (const DOCKER_BUILDKIT of ['0', '1']) {
    const build = (...flags: string[]) =>
      engine.docker(['build', '-t', 'made', ...flags, '-'], { input: text, env: { DOCKER_BUILDKIT } });
    for (const name of ['HTTP_PROXY', 'http_proxy']) {
      asked.splice(0);
      const { exitCode, stderr } = await build('--no-cache', '--build-arg', `${name}=${address}`);
      t.equal(exitCode, 0, stderr);
      t.ok(
        asked.includes('http://files.test/f') && asked.some((url) => url.includes('repository.git')),
        name,
      );
    }
    t.equal(
      await engine.output(['run', '--rm', 'made', 'cat', '/added', '/r/f']),
      'through the proxy\n. other\n',
    );
    t.match(
      await build('--no-cache'),
      {
        exitCode: 1,
        stderr: /Get "http:\/\/files.test\/f": proxyconnect tcp: dial tcp 127.0.0.1:9: connect/,
      },
      "without arguments it is the engine's own, and there is none at that port",
    );
    t.match(
      await build('--no-cache', '--build-arg', `HTTP_PROXY=${address}`, '--build-arg', 'NO_PROXY=.test'),
      { exitCode: 1, stderr: /Get "http:\/\/files.test\/f": dial tcp: lookup files.test/ },
    );
  }
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY --from=named context /c\n');
  const named = ['--build-context', 'named=http://files.test/f', '--build-arg', `HTTP_PROXY=${address}`];
  const built = await opened.build(...named, '-t', 'made', '.');
  t.equal(built.exitCode, 0, built.stderr);
  t.equal(await engine.output(['run', '--rm', 'made', 'cat', '/c']), 'through the proxy\n');
});

t.test('docker buildx bake', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: 'FROM busybox AS base\nARG WHO\nRUN echo "$WHO" >/who\nFROM base\nRUN echo top >/top\n',
    'docker-bake.hcl': `group "default" {
  targets = ["base", "top"]
}
variable "WHO" {
  default = "bake"
}
target "base" {
  target = "base"
  tags = ["bake:base"]
  args = { WHO = WHO }
}
target "top" {
  inherits = ["base"]
  target = ""
  tags = ["bake:top"]
  labels = { a = "b" }
}
target "linked" {
  contexts = {
    one = "target:base"
    two = "target:top"
  }
  dockerfile-inline = "FROM one\\nCOPY --from=two /top /\\n"
  tags = ["bake:linked"]
}
`,
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context } = opened;
  const bake = (...args: string[]) =>
    engine.docker(['buildx', 'bake', '--progress', 'plain', ...args], { cwd: context, env: { WHO: 'me' } });
  const both = await bake();
  t.equal(both.exitCode, 0, both.stderr);
  t.equal(await engine.output(['run', '--rm', 'bake:top', 'cat', '/who', '/top']), 'me\ntop\n');
  t.equal(await engine.output(['image', 'inspect', '-f', '{{.Config.Labels.a}}', 'bake:top']), 'b\n');
  const linked = await bake('linked');
  t.equal(linked.exitCode, 0, linked.stderr);
  t.match(linked.stderr, /\[linked\] exporting to image/);
  t.equal(await engine.output(['run', '--rm', 'bake:linked', 'cat', '/who', '/top']), 'me\ntop\n');
  const meta = join(engine.directory, 'meta.json');
  const again = await bake('--metadata-file', meta, '--set', 'base.args.WHO=you', 'base');
  t.equal(again.exitCode, 0, again.stderr);
  t.equal(await engine.output(['run', '--rm', 'bake:base', 'cat', '/who']), 'you\n');
  t.match(JSON.parse(readFileSync(meta, 'utf8')), {
    base: { 'containerimage.digest': /^sha256:/, 'buildx.build.ref': String },
  });
});
