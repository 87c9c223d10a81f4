import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { digestOf } from '../../guest/digest.ts';
import { issueAuthority, issueServer } from '../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../provisioning/certs/key-pair.ts';
import { DockerRegistry } from '../helpers/docker-registry.ts';
import { hostArchitecture, makeImage, makeIndex, putImage, putManifest } from '../helpers/registry-image.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? DockerRegistry.missing() ?? false;

const noise = (bytes: number) => randomBytes(bytes).toString('latin1');

/** What skopeo says is there, which is another client than ours. */
function skopeoDigest(reference: string): string {
  return digestOf(
    execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`]),
  );
}

t.test('a pulled image goes out bit for bit as it came, whatever its layers are', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  const [from, to] = [await DockerRegistry.open(t), await DockerRegistry.open(t)];
  const files = (name: string) => [{ path: name, content: noise(20_000) }];
  const image = makeImage({
    kind: 'oci',
    layers: [
      { files: files('a'), compression: 'gzip' },
      { files: files('b'), compression: 'zstd' },
      { files: files('c'), compression: 'none' },
      { files: [], compression: 'gzip' },
    ],
  });
  await putImage(from.url, 'team/app', image, '1');
  const name = `${from.host}/team/app:1`;
  const pulled = await engine.output(['pull', name]);
  t.match(pulled, `1: Pulling from team/app\n`);
  t.match(pulled, `Digest: ${image.digest}\nStatus: Downloaded newer image for ${name}\n${name}\n`);
  for (const digest of image.layers) t.match(pulled, `${digest.slice(7, 19)}: Pull complete\n`);
  t.match(await engine.output(['images', '--digests', '--format', '{{.Digest}}']), image.digest);
  t.equal((await engine.output(['inspect', '-f', '{{.Id}}', name])).trim(), image.id);
  t.match(await engine.output(['pull', name]), `Status: Image is up to date for ${name}\n`);

  await engine.output(['tag', name, `${to.host}/other/name:2`]);
  const pushed = await engine.output(['push', `${to.host}/other/name:2`]);
  t.match(pushed, `The push refers to repository [${to.host}/other/name]\n`);
  t.match(pushed, `2: digest: ${image.digest} size: ${image.manifest.length}\n`);
  t.equal(skopeoDigest(`${to.host}/other/name:2`), image.digest);

  // And by its digest, at an engine that has nothing of it.
  const second = await EngineHarness.open(t);
  await second.output(['pull', `${to.host}/other/name@${image.digest}`]);
  t.same(JSON.parse(await second.output(['inspect', '-f', '{{json .RepoDigests}}', image.id])), [
    `${to.host}/other/name@${image.digest}`,
  ]);
  t.match(await second.output(['images', '-f', 'dangling=false']), `${to.host}/other/name`);
});

t.test('an image made here is pushed, found again, mounted and pulled', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  const registry = await DockerRegistry.open(t);
  await engine.loadBusybox();
  const [one, two] = [`${registry.host}/one/busybox`, `${registry.host}/two/busybox`];
  for (const name of [`${one}:a`, `${one}:b`, two]) await engine.output(['tag', 'busybox', name]);
  t.match(await engine.output(['push', `${one}:a`]), /: Pushed\na: digest: sha256:/);
  const digest = skopeoDigest(`${one}:a`);
  t.match(await engine.output(['inspect', '-f', '{{json .RepoDigests}}', `${one}:a`]), `${one}@${digest}`);
  t.match(
    await engine.output(['push', '--all-tags', one]),
    /already exists\na: digest.*already exists\nb: digest/s,
  );
  t.match(await engine.output(['push', two]), /Mounted from one\/busybox\nlatest: digest/);

  await engine.output(['rmi', '-f', `${one}:a`, `${one}:b`, two, 'busybox']);
  t.same(readdirSync(join(engine.dataRoot, 'content', 'sha256')), [], 'nothing is kept of what is gone');
  t.equal(await engine.output(['run', '--rm', two, 'echo', 'hi']), 'hi\n', 'run pulls what is not here');
  const all = await engine.output(['pull', '--all-tags', one]);
  for (const tag of ['a', 'b']) t.match(all, `${tag}: Pulling from one/busybox\n`);
  t.match(all, `Digest: ${digest}\nStatus: Downloaded newer image for ${one}\n`);
  t.match(await engine.docker(['push', `${one}:none`]), {
    exitCode: 1,
    stderr: `tag does not exist: ${one}:none\n`,
  });
  t.match(await engine.docker(['push', `${registry.host}/nothing`]), {
    exitCode: 1,
    stderr: `An image does not exist locally with the tag: ${registry.host}/nothing\n`,
  });
});

t.test('of an index the platform asked for is pulled', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  const registry = await DockerRegistry.open(t);
  const foreign = hostArchitecture === 'amd64' ? 'arm64' : 'amd64';
  const images = [hostArchitecture, foreign].map((architecture) =>
    makeImage({ layers: [{ files: [{ path: architecture, content: 'x' }] }], architecture }),
  );
  for (const image of images) await putImage(registry.url, 'multi', image);
  const platform = (architecture: string) => ({ os: 'linux', architecture });
  const index = makeIndex([
    { image: images[1]!, platform: platform(foreign) },
    { image: images[0]!, platform: platform(hostArchitecture) },
  ]);
  await putManifest(registry.url, 'multi', index, '1');
  const name = `${registry.host}/multi:1`;
  t.match(await engine.output(['pull', name]), `Digest: ${index.digest}`);
  const id = async () => (await engine.output(['inspect', '-f', '{{.Id}}', name])).trim();
  t.equal(await id(), images[0]!.id);
  t.match(await engine.output(['inspect', '-f', '{{.RepoDigests}}', name]), index.digest);
  await engine.output(['pull', '-q', '--platform', `linux/${foreign}`, name]);
  t.equal(await id(), images[1]!.id);
  t.match(await engine.docker(['pull', '--platform', 'linux/s390x', name]), {
    exitCode: 1,
    stderr: /no matching manifest for linux\/s390x in the manifest list entries/,
  });
  t.match(await engine.docker(['pull', `${registry.host}/multi:2`]), {
    exitCode: 1,
    stderr: /manifest for .*\/multi:2 not found: manifest unknown: manifest unknown/,
  });

  const ask = (path: string) =>
    execFileSync('curl', ['-sS', '--unix-socket', engine.socket, `http://engine${path}`]).toString();
  t.same(JSON.parse(ask(`/distribution/${name}/json`)), {
    Descriptor: { mediaType: index.mediaType, digest: index.digest, size: index.bytes.length },
    Platforms: [platform(foreign), platform(hostArchitecture)],
  });
  t.match(JSON.parse(ask(`/distribution/${registry.host}/multi@${images[1]!.digest}/json`)), {
    Descriptor: { digest: images[1]!.digest },
    Platforms: [platform(foreign)],
  });
});

t.test('a registry that wants a name and password gets them from docker login', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  const registry = await DockerRegistry.open(t, { user: { name: 'anna', password: 'se cret' } });
  const login = (password: string) =>
    engine.docker(['login', '-u', 'anna', '--password-stdin', registry.host], { input: password });
  await engine.loadBusybox();
  const name = `${registry.host}/busybox:1`;
  await engine.output(['tag', 'busybox', name]);
  t.match(await engine.docker(['push', name]), { exitCode: 1, stderr: /no basic auth credentials/ });
  t.match(await engine.docker(['pull', name]), { exitCode: 1, stderr: /no basic auth credentials/ });
  t.match(await login('wrong'), {
    exitCode: 1,
    stderr: `login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized`,
  });
  t.match(await login('se cret'), { exitCode: 0, stdout: /Login Succeeded/ });
  t.match(await engine.output(['push', name]), /1: digest: /);
  t.match(await engine.output(['pull', name]), /up to date/);
  await engine.output(['logout', registry.host]);
  t.match(await engine.docker(['pull', name]), { exitCode: 1 });
});

t.test('TLS with a certificate of nobody is for registries that may be insecure', { skip }, async (t) => {
  const key = await rsaPrivateKey(2048);
  const { cert } = issueServer({
    authority: issueAuthority({ key }),
    ...{ key, names: ['127.0.0.1'], commonName: 'registry' },
  });
  const files = t.testdir({});
  const tls = { cert: join(files, 'cert.pem'), key: join(files, 'key.pem') };
  writeFileSync(tls.cert, cert);
  writeFileSync(tls.key, key);
  const registry = await DockerRegistry.open(t, { tls });
  const flags = ['--insecure-registry', '10.0.0.0/8', '--insecure-registry', 'reg.test:5000'];
  const engine = await EngineHarness.open(t, [...flags, '--registry-mirror', 'http://127.0.0.1:5999']);
  await engine.loadBusybox();
  const name = `${registry.host}/busybox:1`;
  await engine.output(['tag', 'busybox', name]);
  t.match(await engine.output(['push', name]), /1: digest: /);
  const info = await engine.output(['info']);
  t.match(info, /Insecure Registries:\n {2}reg\.test:5000\n {2}::1\/128\n(.*\n)* {2}10\.0\.0\.0\/8\n/);
  t.match(info, /Registry Mirrors:\n {2}http:\/\/127\.0\.0\.1:5999\/\n/);
});

t.test('mirrors are asked for names without a registry, and only they are', { skip }, async (t) => {
  const [mirror, other] = [await DockerRegistry.open(t), await DockerRegistry.open(t)];
  // The first mirror does not have it.
  const engine = await EngineHarness.open(t, [
    '--registry-mirror',
    other.url,
    '--registry-mirror',
    mirror.url,
  ]);
  const image = makeImage({ layers: [{ files: [{ path: 'a', content: 'x' }] }] });
  await putImage(mirror.url, 'library/tool', image, '1');
  t.match(
    await engine.output(['pull', 'tool:1']),
    /Pulling from library\/tool\n.*docker\.io\/library\/tool:1\n/s,
  );
  t.match(await engine.output(['inspect', '-f', '{{.RepoDigests}}', 'tool:1']), `[tool@${image.digest}]`);
  t.match(await engine.docker(['pull', `${other.host}/library/tool:1`]), { exitCode: 1 });
});
