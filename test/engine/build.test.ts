import { execFileSync } from 'node:child_process';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { call } from '../compat/http.ts';
import { runCommand } from '../helpers/run-command.ts';
import { makeTar } from '../helpers/tar.ts';
import { EngineHarness } from './engine-harness.ts';

const missing = EngineHarness.missing() ?? false;
t.setTimeout(300_000);

class Builds {
  readonly engine: EngineHarness;
  readonly directory: string;

  constructor(engine: EngineHarness, directory: string) {
    this.engine = engine;
    this.directory = directory;
  }

  static async open(t: Test): Promise<Builds> {
    const engine = await EngineHarness.open(t, ['--bip', '172.31.27.1/24']);
    await engine.loadBusybox();
    const directory = join(engine.directory, 'context');
    await mkdir(directory);
    return new Builds(engine, directory);
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.directory, name), text);
  }

  run(...flags: readonly string[]) {
    return this.engine.docker(['build', ...flags, this.directory], { env: { DOCKER_BUILDKIT: '0' } });
  }

  async id(...flags: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.run('-q', ...flags);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.trim();
  }
}

const dockerfile = 'FROM busybox\nENV A=1\nCOPY a /a\nRUN cat /a >/b\nCMD ["cat","/b"]\n';

t.test('the second build is taken from the cache, after a restart too', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write('Dockerfile', dockerfile);
  await builds.write('a', 'A');
  const first = await builds.run('-t', 'one');
  t.match(first.stdout, /Step 1\/5 : FROM busybox\n ---> [0-9a-f]{12}\nStep 2\/5 : ENV A=1\n/);
  t.match(first.stdout, / ---> Running in [0-9a-f]{12}\n ---> Removed intermediate container/);
  t.match(first.stdout, /Successfully built [0-9a-f]{12}\nSuccessfully tagged one:latest\n$/);
  const id = await builds.id();
  t.ok(first.stdout.includes(`Successfully built ${id.slice(7, 19)}`), 'the same image');
  await builds.engine.stop('SIGKILL');
  await builds.engine.start();
  const again = await builds.run();
  t.equal(again.stdout.match(/Using cache/g)?.length, 4);
  t.equal(await builds.id(), id);
});

t.test('the cache goes by content, not by time; --no-cache by nothing', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write('Dockerfile', dockerfile);
  await builds.write('a', 'A');
  const id = await builds.id();
  await utimes(join(builds.directory, 'a'), 1, 1);
  t.equal(await builds.id(), id, 'a touched file is the same');
  t.not(await builds.id('--no-cache'), id);
  await builds.write('a', 'B');
  const changed = await builds.run();
  t.equal(changed.stdout.match(/Using cache/g)?.length, 1, 'what comes before the change');
});

t.test('the Dockerfile may have its name in small letters', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  const body = makeTar([{ path: 'dockerfile', content: 'FROM busybox\nENV SMALL=1\n' }]);
  const { status, text } = await call(builds.engine.socket, 'POST /build', {
    raw: body,
    headers: { 'Content-Type': 'application/x-tar' },
  });
  t.equal(status, 200, text);
  t.match(text, /Successfully built/);
});

t.test('the Dockerfile may come by standard input, beside a directory', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write('a', 'A');
  const { stdout, stderr, exitCode } = await builds.engine.docker(['build', '-f', '-', builds.directory], {
    input: 'FROM busybox\nCOPY a /a\nRUN cat /a\n',
    env: { DOCKER_BUILDKIT: '0' },
  });
  t.equal(exitCode, 0, stderr);
  t.match(stdout, /Running in [0-9a-f]{12}\nA/);
});

t.test('ADD unpacks archives of every compression', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  const compressed = (program: string, input: Buffer) => execFileSync('busybox', [program, '-c'], { input });
  const forms: Record<string, (tar: Buffer) => Buffer> = {
    tar: (tar) => tar,
    gz: gzipSync,
    zst: zstdCompressSync,
    bz2: (tar) => compressed('bzip2', tar),
    xz: (tar) => execFileSync('xz', ['-c'], { input: tar }),
  };
  for (const [name, compress] of Object.entries(forms)) {
    const tar = makeTar([{ path: `d/${name}`, content: `${name}\n` }]);
    await writeFile(join(builds.directory, `a.${name}`), compress(tar));
  }
  const adds = Object.keys(forms).map((name) => `ADD a.${name} /`);
  await builds.write('Dockerfile', ['FROM busybox', ...adds, 'RUN cat /d/*'].join('\n'));
  const { stdout, stderr } = await builds.run();
  t.ok(stdout.includes('\nbz2\ngz\ntar\nxz\nzst\n'), stdout + stderr);
});

t.test('layers of --cache-from are taken where the cache was pruned', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write('Dockerfile', dockerfile);
  await builds.write('a', 'A');
  await builds.id('-t', 'old');
  await builds.engine.output(['builder', 'prune', '-af']);
  t.notMatch((await builds.run('--cache-from', 'nowhere')).stdout, /Using cache/);
  await builds.engine.output(['builder', 'prune', '-af']);
  t.equal((await builds.run('--cache-from', 'old')).stdout.match(/Using cache/g)?.length, 4);
  t.notMatch(
    (await builds.run('--cache-from', 'nowhere')).stdout,
    /Using cache/,
    'as dockerd: what is named is all the cache there is',
  );
});

t.test('what the cache takes is told by df and given back by prune', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write(
    'Dockerfile',
    'FROM busybox\nRUN --mount=type=cache,target=/c head -c 1m /dev/zero | tee /c/x >/y\n',
  );
  await builds.id('-t', 'one');
  const usage = async () =>
    JSON.parse(await builds.engine.output(['system', 'df', '-v', '--format', '{{json .BuildCache}}']));
  const kinds = (await usage()).map(({ CacheType }: { CacheType: string }) => CacheType).sort();
  t.same(kinds, ['exec.cachemount', 'regular']);
  t.match(
    await builds.engine.output(['builder', 'prune', '-f']),
    /Total reclaimed space: 1.0\d+MB/,
    'not what the image shares',
  );
  await builds.engine.output(['rmi', 'one']);
  t.match(await builds.engine.output(['builder', 'prune', '-af']), /Total reclaimed space: 1.0\d+MB/);
  t.same(await usage(), []);
});

t.test('a build ends with its client, and leaves nothing', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write('Dockerfile', 'FROM busybox\nRUN echo begun; sleep 1000\n');
  const leaving = new AbortController();
  const { execa } = await import('execa');
  const build = execa('docker', ['build', builds.directory], {
    env: { ...builds.engine.env, DOCKER_BUILDKIT: '0' },
    cancelSignal: leaving.signal,
    reject: false,
    buffer: false,
  });
  for await (const line of build) if (line === 'begun') leaving.abort();
  await build;
  // The next build of the same waits for nobody.
  await builds.write('Dockerfile', 'FROM busybox\nRUN echo next\n');
  t.match((await builds.run()).stdout, /next/);
});

t.test('an engine that was killed under a build leaves nothing of it', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write('Dockerfile', 'FROM busybox\nRUN echo begun; sleep 1000\n');
  const { execa } = await import('execa');
  const build = execa('docker', ['build', builds.directory], {
    env: { ...builds.engine.env, DOCKER_BUILDKIT: '0' },
    reject: false,
    buffer: false,
  });
  for await (const line of build) if (line === 'begun') await builds.engine.stop('SIGKILL');
  await build;
  await builds.engine.start();
  t.same(builds.engine.residue(), []);
});

t.test('options that cannot be honoured are refused by name', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write('Dockerfile', 'FROM busybox\n');
  const refused = async (flags: readonly string[], words: RegExp) => {
    const { exitCode, stderr } = await builds.run(...flags);
    t.not(exitCode, 0);
    t.match(stderr, words);
  };
  await refused(['--security-opt', 'seccomp=unconfined'], /security options are not supported on linux/);
  await refused(['-f', join(builds.directory, 'nope')], /nope/);
  await builds.write('empty', '');
  await refused(['-f', join(builds.directory, 'empty')], /cannot be empty/);
});

t.test('steps share a network and a parent control group', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  const parent = `/machine-parent-${process.pid}`;
  await builds.engine.output(['run', '-d', '--name', 'net', 'busybox', 'sleep', '1000']);
  const address = await builds.engine.output(['exec', 'net', 'hostname', '-i']);
  await builds.write('Dockerfile', 'FROM busybox\nRUN ip -4 -o addr show eth0\n');
  const { stdout } = await builds.run('--network', 'container:net', '--cgroup-parent', parent);
  t.match(stdout, `inet ${address.trim()}/`);
  const groups = ['/sys/fs/cgroup', '-depth', '-path', `*${parent}*`, '-type', 'd'];
  t.match((await runCommand('find', groups)).stdout, parent);
  t.match(await builds.run('--no-cache', '--network', 'container:nosuch'), {
    exitCode: 1,
    stderr: /No such container: nosuch/,
  });
  await builds.engine.output(['rm', '-f', 'net']);
  // As with dockerd, what was named by the user is the user's to remove; nothing of ours is below it.
  await runCommand('find', [...groups, '-exec', 'rmdir', '{}', '+']);
});

t.test('what starts from nothing', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write('Dockerfile', 'FROM scratch\n');
  t.match(await builds.run(), {
    exitCode: 1,
    stderr: /No image was generated. Is your Dockerfile empty\?/,
  });
  await builds.write('Dockerfile', 'FROM scratch\nENV A=b\n');
  const env = ['inspect', '--format', '{{join .Config.Env " "}}', await builds.id()];
  t.equal(
    await builds.engine.output(env),
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin A=b\n',
  );
  const outside = await call(builds.engine.socket, 'POST /v1.45/build?dockerfile=../../etc/passwd', {
    raw: makeTar([{ path: 'a', content: 'a' }]),
  });
  t.match(outside.json, { message: 'forbidden path outside the build context: ../../etc/passwd ()' });
});

t.test('limits, hosts and networks reach the steps', { skip: missing }, async (t) => {
  const builds = await Builds.open(t);
  await builds.write(
    'Dockerfile',
    'FROM busybox\nRUN cat /etc/hosts; df /dev/shm; ulimit -n; ls /sys/class/net\n',
  );
  const { stdout } = await builds.run(
    ...['--add-host', 'here:1.2.3.4', '--shm-size', '8m', '--ulimit', 'nofile=123', '--network', 'none'],
  );
  t.match(stdout, /1\.2\.3\.4\s+here/);
  t.match(stdout, /shm +8192 /);
  t.match(stdout, /^123$/m);
  t.notMatch(stdout, /eth0/);
});
