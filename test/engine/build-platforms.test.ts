import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { hostPlatform } from '../../guest/images/platform.ts';
import { DockerRegistry } from '../helpers/docker-registry.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { runCommand } from '../helpers/run-command.ts';
import { openBuildx as open } from './buildx-lab.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? enterOwnNetwork() ?? false;
const noRegistry = skip || (DockerRegistry.missing() ?? false);
t.setTimeout(300_000);

const own = `linux/${hostPlatform.architecture}`;
/** One that nothing here runs. */
const other = hostPlatform.architecture === 'arm64' ? 'linux/s390x' : 'linux/arm64';
const otherWord = other.slice('linux/'.length);
const both = ['--platform', `${own},${other}`];

/** Compiled on this computer's platform, for whatever is asked for. */
const cross = `FROM --platform=$BUILDPLATFORM busybox AS build
COPY a.txt /a
RUN cat /a >/made; echo ran >&2
FROM build AS linked
ARG TARGETARCH
RUN echo "for $TARGETARCH" >/for
FROM scratch
COPY --from=linked /made /for /
`;

t.test('a Dockerfile that only copies is built for any platform', { skip }, async (t) => {
  const opened = await open(t, { Dockerfile: 'FROM scratch\nCOPY a.txt /\nENV A=b\n', 'a.txt': 'a\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, built } = opened;
  const file = join(engine.directory, 'out.tar');
  const meta = join(engine.directory, 'meta.json');
  const platforms = 'linux/amd64,linux/arm64,linux/arm/v7,linux/riscv64';
  const annotations = 'annotation-index.of=all,annotation.each=1,annotation[linux/arm64].one=2';
  const said = await built(
    ...['--platform', platforms, '-t', 'many:1', '--metadata-file', meta],
    ...['-o', `type=oci,dest=${file},${annotations}`, '.'],
  );
  t.match(said, /^#\d+ \[linux\/riscv64 1\/1\] COPY a\.txt \/$/m, 'a vertex says what it is for');
  t.equal([...said.matchAll(/^#\d+ \[internal\] load build context$/gm)].length, 1, 'the context came once');
  t.match(said, /exporting manifest list sha256:/);
  const skopeo = (...args: string[]) => runCommand('skopeo', args).then(({ stdout }) => JSON.parse(stdout));
  const index = await skopeo('inspect', '--raw', `oci-archive:${file}`);
  t.same(
    index.manifests.map(({ platform }: { platform: object }) => platform),
    [
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
      { architecture: 'arm', os: 'linux', variant: 'v7' },
      { architecture: 'riscv64', os: 'linux' },
    ],
    'in the order in which they were asked for',
  );
  t.same(index.annotations, { of: 'all' });
  for (const architecture of ['amd64', 'arm64', 'riscv64']) {
    const of = ['inspect', '--override-arch', architecture, `oci-archive:${file}`];
    t.equal((await skopeo(...of)).Architecture, architecture);
    t.match(await skopeo(...of, '--config'), {
      architecture,
      config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=b'] },
    });
  }
  t.match(JSON.parse(readFileSync(meta, 'utf8')), {
    'containerimage.descriptor': { mediaType: 'application/vnd.oci.image.index.v1+json' },
    'image.name': 'docker.io/library/many:1',
  });
  const one = await built('--platform', 'linux/arm64', '-o', `type=oci,dest=${file}`, '.');
  t.match(one, /^#\d+ \[1\/1\] COPY/m);
  t.match(await skopeo('inspect', '--raw', `oci-archive:${file}`), { config: {} }, 'no index for one');
});

t.test('directories and tars have a directory for each platform', { skip }, async (t) => {
  const opened = await open(t, { Dockerfile: cross, 'a.txt': 'a\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, build, built } = opened;
  const out = join(engine.directory, 'out');
  const said = await built(...both, '-o', out, '.');
  t.equal([...said.matchAll(/^#\d+ \[\S+ build 3\/3\] RUN/gm)].length, 1, 'what is the same is done once');
  t.match(said, `[${own} linked 1/1] RUN`);
  t.match(said, `[${own}->${otherWord} linked 1/1] RUN`);
  t.match(said, `[${other} stage-2 1/1] COPY`);
  const [first, second] = [own, other].map((name) => name.replace('/', '_'));
  t.same(readdirSync(out).sort(), [first, second].sort());
  t.equal(readFileSync(join(out, second!, 'for'), 'utf8'), `for ${otherWord}\n`);
  t.equal(readFileSync(join(out, first!, 'made'), 'utf8'), 'a\n');
  const tar = join(engine.directory, 'out.tar');
  await built(...both, '-o', `type=tar,dest=${tar}`, '.');
  const { stdout } = await runCommand('tar', ['tf', tar]);
  t.same(stdout.trim().split('\n').sort(), [
    ...[`${first}/`, `${first}/for`, `${first}/made`, `${second}/`, `${second}/for`, `${second}/made`].sort(),
  ]);
  const mixed = await build(...both, '-o', `type=local,dest=${out},platform-split=false`, '.');
  t.match(mixed, { exitCode: 1, stderr: /cannot overwrite for from .* when split option is disabled/ });
  const single = join(engine.directory, 'single');
  await built('--platform', own, '-o', `type=local,dest=${single},platform-split=true`, '.');
  t.same(readdirSync(single), [first]);
});

t.test('what holds one image refuses several, before anything is built', { skip }, async (t) => {
  const opened = await open(t, { Dockerfile: cross, 'a.txt': 'a\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { build } = opened;
  const refused = await build(...both, '-t', 'made', '.');
  t.match(refused, { exitCode: 1, stderr: /multiple references to image store .*--push/ });
  t.notMatch(refused.stderr, /RUN/);
  t.match(await build(...both, '-o', 'type=docker,dest=/dev/null', '.'), { exitCode: 1 });
});

t.test('programs of a platform that nothing here runs', { skip }, async (t) => {
  // The beginning of a program (elf(5)) for a machine that no kernel knows.
  const program = Buffer.alloc(64);
  program.write('\x7fELF\x02\x01\x01', 'latin1');
  program.writeUInt16LE(2, 16);
  program.writeUInt16LE(183, 18);
  const opened = await open(t, { Dockerfile: 'FROM scratch\nCOPY --chmod=755 sh /bin/sh\nRUN true\n' });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { context, build } = opened;
  writeFileSync(join(context, 'sh'), program);
  const failed = await build('--platform', `linux/riscv64,${other}`, '-o', 'type=oci,dest=/dev/null', '.');
  t.match(failed, { exitCode: 1, stderr: /there is no emulator for linux\/\S+ here; / });
});

t.test('images for several platforms are pushed as one', { skip: noRegistry }, async (t) => {
  const opened = await open(t, {
    // Programs of this computer under another platform's name: they run.
    Base: 'FROM --platform=$BUILDPLATFORM busybox AS b\nFROM scratch\nCOPY --from=b / /\n',
    'a.txt': 'a\n',
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context, built } = opened;
  const registry = await DockerRegistry.open(t);
  const base = `${registry.host}/base:1`;
  const name = `${registry.host}/made:1`;
  const meta = join(engine.directory, 'meta.json');
  await built(...both, '-f', 'Base', '--push', '-t', base, '.');
  const baseId = await engine.output(['image', 'inspect', '-f', '{{.Id}}', base]);
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM ${base}\nARG TARGETPLATFORM\nRUN echo "$TARGETPLATFORM" >/for\n`,
  );
  const said = await built(...both, '--push', '-t', name, '--metadata-file', meta, '.');
  t.match(said, `[${other} internal] load metadata for ${base}`);
  t.match(said, `[${other} 2/2] RUN`);
  t.match(said, /pushing manifest list sha256:/);
  t.equal(
    await engine.output(['image', 'inspect', '-f', '{{.Id}}', base]),
    baseId,
    'a base image for elsewhere takes no name away',
  );

  const inRegistry = async () => {
    const { stdout } = await runCommand('skopeo', [
      'inspect',
      '--raw',
      '--tls-verify=false',
      `docker://${name}`,
    ]);
    return JSON.parse(stdout);
  };
  const index = await inRegistry();
  t.same(
    index.manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture),
    [hostPlatform.architecture, otherWord],
    'also after buildx has pushed the name once more',
  );
  const { 'containerimage.digest': digest, 'containerimage.config.digest': id } = JSON.parse(
    readFileSync(meta, 'utf8'),
  );
  t.match(said, `pushing manifest list ${digest}`);
  t.equal((await engine.output(['image', 'inspect', '-f', '{{.Id}}', name])).trim(), id);
  const config = async (architecture: string) => {
    const from = [`docker://${name}`, '--tls-verify=false', '--override-arch', architecture];
    return JSON.parse((await runCommand('skopeo', ['inspect', '--config', ...from])).stdout);
  };
  t.match(await config(otherWord), { architecture: otherWord });
  t.match(await config(hostPlatform.architecture), { architecture: hostPlatform.architecture });
  const pulled = ['run', '--rm', '--pull', 'always', '--platform'];
  t.equal(await engine.output([...pulled, other, name, 'cat', '/for']), `${other}\n`);
  t.equal(await engine.output([...pulled, own, name, 'cat', '/for']), `${own}\n`);

  await built(...both, '--push', '-t', name, '.');
  t.match(await engine.output(['push', name]), digest, 'docker push sends what the name stands for');
  t.same(await inRegistry(), index);
  await built('--push', '-t', name, '.');
  t.match(await inRegistry(), { config: { digest: id } }, 'a build for one platform is that one only');
  await engine.output(['pull', name]);
  writeFileSync(join(context, 'Dockerfile'), `FROM ${name}\n`);
  t.ok(
    await built('-o', 'type=oci,dest=/dev/null', '.'),
    'layers that were pulled as they are here still go out',
  );
});

t.test('bake: targets for several platforms on top of one another', { skip }, async (t) => {
  const opened = await open(t, {
    Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH.txt /its\n',
    [`${hostPlatform.architecture}.txt`]: 'own\n',
    [`${otherWord}.txt`]: 'other\n',
    'docker-bake.hcl': `target "base" {
  platforms = ["${own}", "${other}"]
  output = ["type=cacheonly"]
}
target "default" {
  contexts = { below = "target:base" }
  platforms = ["${own}", "${other}"]
  dockerfile-inline = "FROM below AS b\\nFROM scratch\\nCOPY --from=b /its /copy\\nCOPY --from=below /its /its\\n"
  output = ["type=local,dest=out"]
}
`,
  });
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, context } = opened;
  const baked = await engine.docker(['buildx', 'bake', '--progress', 'plain'], { cwd: context });
  t.equal(baked.exitCode, 0, baked.stderr);
  for (const [platform, text] of [
    [own, 'own\n'],
    [other, 'other\n'],
  ] as const)
    for (const file of ['its', 'copy'])
      t.equal(readFileSync(join(context, 'out', platform.replace('/', '_'), file), 'utf8'), text);
});
