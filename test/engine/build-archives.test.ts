import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { tarMembers } from '../../guest/layers/tar-members.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { runCommand } from '../helpers/run-command.ts';
import { openBuildx as open, twoStages } from './buildx-lab.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);

const noSkopeo = (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, 'skopeo')))
  ? false
  : 'not installed: skopeo';

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The files of a tar by their names. */
async function unpacked(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { entry, body } of tarMembers(createReadStream(path))) {
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(piece);
    files.set(entry.path, Buffer.concat(pieces));
  }
  return files;
}

t.test('results go to image archives of the client', { skip }, async (t) => {
  const opened = await open(t, twoStages);
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, build, built } = opened;
  const meta = join(engine.directory, 'meta.json');
  const archive = (kind: string, more = '') =>
    built(
      '-o',
      `type=${kind},dest=${join(engine.directory, `${kind}.tar`)}${more}`,
      '-t',
      'made:1',
      '--metadata-file',
      meta,
      '.',
    );
  const said = await archive('oci', ',annotation.a=b');
  t.match(said, /exporting to oci image format/);
  t.match(said, /sending tarball .*done/);
  const { 'containerimage.digest': digest, 'containerimage.config.digest': id } = JSON.parse(
    readFileSync(meta, 'utf8'),
  );
  const layout = await unpacked(join(engine.directory, 'oci.tar'));
  t.same(JSON.parse(layout.get('oci-layout')!.toString()), { imageLayoutVersion: '1.0.0' });
  const [entry] = JSON.parse(layout.get('index.json')!.toString()).manifests;
  t.match(entry, {
    digest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    annotations: {
      'io.containerd.image.name': 'docker.io/library/made:1',
      'org.opencontainers.image.ref.name': '1',
    },
  });
  for (const [path, bytes] of layout)
    if (/^blobs\/sha256\/./.test(path))
      t.equal(path, `blobs/sha256/${sha256(bytes)}`, 'a blob is named by its digest');
  const manifest = JSON.parse(layout.get(`blobs/sha256/${digest.slice(7)}`)!.toString());
  t.match(manifest, { config: { digest: id }, annotations: { a: 'b' } });
  const config = JSON.parse(layout.get(`blobs/sha256/${id.slice(7)}`)!.toString());
  t.same(
    manifest.layers.map((layer: { digest: string }) => {
      const bytes = layout.get(`blobs/sha256/${layer.digest.slice(7)}`)!;
      return `sha256:${sha256(gunzipSync(bytes))}`;
    }),
    config.rootfs.diff_ids,
    'layers are what the configuration says',
  );
  await archive('oci', ',compression=zstd,compression-level=5,oci-mediatypes=true');
  const zstd = (await unpacked(join(engine.directory, 'oci.tar'))).get('index.json')!.toString();
  t.not(JSON.parse(zstd).manifests[0].digest, digest);
  await archive('docker', ',compression=uncompressed');
  t.equal(await engine.output(['images', '-q', 'made']), '', 'nothing was kept but the cache');
  await engine.output(['load', '-i', join(engine.directory, 'oci.tar')]);
  await engine.output(['load', '-i', join(engine.directory, 'docker.tar')]);
  t.equal(await engine.output(['image', 'inspect', '-f', '{{.Id}}', 'made:1']), `${id}\n`);
  t.equal(await engine.output(['run', '--rm', 'made:1']), 'hello world\na\nb\n');
  await built('-o', 'type=docker', '-t', 'loaded', '.');
  t.equal(await engine.output(['image', 'inspect', '-f', '{{.Id}}', 'loaded']), `${id}\n`);
  for (const [word, complaint] of [
    ['tar=false', /does not support --output type=oci,tar=false; leave tar out/],
    ['compression=estargz', /does not support compression=estargz; uncompressed, gzip, zstd/],
    ['compression-level=10', /invalid compression-level=10; gzip has 0 to 9/],
  ] as const)
    t.match(await build('-o', `type=oci,dest=${join(engine.directory, word)},${word}`, '.'), {
      exitCode: 1,
      stderr: complaint,
    });
});

t.test('skopeo reads both archives', { skip: skip || noSkopeo }, async (t) => {
  const opened = await open(t, twoStages);
  if (typeof opened === 'string') return t.plan(0, opened);
  const { engine, built } = opened;
  for (const kind of ['oci', 'docker']) {
    const tar = join(engine.directory, `${kind}.tar`);
    await built('-o', `type=${kind},dest=${tar}`, '-t', 'made:1', '.');
    const copied = join(engine.directory, `copied-${kind}`);
    const { exitCode, stderr } = await runCommand('skopeo', [
      ...[
        'copy',
        '--insecure-policy',
        `${kind}-archive:${tar}${kind === 'oci' ? ':1' : ''}`,
        `dir:${copied}`,
      ],
    ]);
    t.equal(exitCode, 0, stderr);
    t.match(JSON.parse(readFileSync(join(copied, 'manifest.json'), 'utf8')).layers, { length: 5 });
  }
});
