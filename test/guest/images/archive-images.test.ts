import t from 'tap';
import { type Digest, digestOf } from '../../../guest/digest.ts';
import { imagesOf } from '../../../guest/images/archive-images.ts';
import type { ArchiveContents } from '../../../guest/images/archive-reader.ts';
import { hostPlatform } from '../../../guest/images/platform.ts';
import { formatReference } from '../../../guest/reference.ts';

const other = hostPlatform.architecture === 'arm64' ? 'amd64' : 'arm64';
const layer: Digest = `sha256:${'1'.repeat(64)}`;

/** An OCI layout in memory: what is put into it is described by a descriptor. */
function layout() {
  const documents = new Map<string, Buffer>();
  const put = (value: object) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOf(bytes);
    documents.set(`blobs/sha256/${digest.slice(7)}`, bytes);
    return { digest, size: bytes.length };
  };
  const archive: ArchiveContents = {
    document: (path) => documents.get(path),
    layer: (path) =>
      path === `blobs/sha256/${layer.slice(7)}` ? { diffId: layer, chainId: layer } : undefined,
    paths: [],
    staged: [],
  };
  return {
    archive,
    documents,
    put,
    top: (file: string, value: unknown) => documents.set(file, Buffer.from(JSON.stringify(value))),
    image(architecture: string, comment = '') {
      const config = put({ architecture, os: 'linux', comment, rootfs: { diff_ids: [layer] } });
      return {
        ...put({ config, layers: [{ digest: layer, size: 1 }] }),
        platform: { os: 'linux', architecture },
      };
    },
  };
}

const named = (name: string) => ({ annotations: { 'io.containerd.image.name': name } });
const seen = (archive: ArchiveContents, architecture?: string) =>
  imagesOf(archive, architecture === undefined ? undefined : { os: 'linux', architecture }).map(
    ({ config, names }) =>
      [JSON.parse(config.toString()).architecture, ...names.map(formatReference)].join(' '),
  );

t.test('of an index in the index one platform is taken, and attestations never', async (t) => {
  const { archive, put, top, image } = layout();
  const about = { 'vnd.docker.reference.type': 'attestation-manifest' };
  const attestation = {
    ...image('unknown'),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: about,
  };
  const inner = put({ manifests: [attestation, image(other), image(hostPlatform.architecture)] });
  top('index.json', { manifests: [{ ...put({ manifests: [inner] }), ...named('docker.io/library/x:1') }] });
  t.same(seen(archive), [`${hostPlatform.architecture} docker.io/library/x:1`]);
  t.same(seen(archive, other), [`${other} docker.io/library/x:1`]);
  t.throws(() => seen(archive, 's390x'), { name: 'InvalidParameter', message: /nothing for linux\/s390x/ });
});

t.test('several images, several names of one, and one image in several platforms', async (t) => {
  const { archive, top, image } = layout();
  const host = hostPlatform.architecture;
  top('index.json', {
    manifests: [
      { ...image(host, 'a'), ...named('docker.io/library/a:1') },
      { ...image(host, 'a'), ...named('docker.io/library/a:2') },
      { ...image(other, 'b'), ...named('docker.io/library/b:1') },
      { ...image(host, 'b'), ...named('docker.io/library/b:1') },
      { ...image(host, 'c'), annotations: { 'org.opencontainers.image.ref.name': 'a tag is no name' } },
    ],
  });
  t.same(seen(archive), [
    `${host} docker.io/library/a:1 docker.io/library/a:2`,
    `${host} docker.io/library/b:1`,
    host,
  ]);
  t.same(seen(archive, other), [`${other} docker.io/library/b:1`]);
});

t.test('without a wish, what is there is taken although it is for another platform', async (t) => {
  const { archive, documents, put, top, image } = layout();
  const absent = image(hostPlatform.architecture);
  documents.delete(`blobs/sha256/${absent.digest.slice(7)}`);
  top('index.json', { manifests: [put({ manifests: [absent, image(other)] })] });
  t.same(seen(archive), [other]);
});

t.test('docker archives know a wish too', async (t) => {
  const { archive, top, put } = layout();
  const config = put({ architecture: other, os: 'linux', rootfs: { diff_ids: [layer] } });
  const blob = (digest: string) => `blobs/sha256/${digest.slice(7)}`;
  top('manifest.json', [{ Config: blob(config.digest), RepoTags: ['x:1'], Layers: [blob(layer)] }]);
  t.same(seen(archive), [`${other} docker.io/library/x:1`]);
  t.throws(() => seen(archive, hostPlatform.architecture), /nothing for linux/);
});

t.test('indexes that multiply or never end are refused or cost nothing', async (t) => {
  const { archive, put, top, image } = layout();
  let at: { digest: string; size: number } = image(hostPlatform.architecture);
  for (let i = 0; i < 6; i++) at = put({ manifests: Array.from({ length: 50 }, () => at) });
  top('index.json', { manifests: [at] });
  t.same(seen(archive), [hostPlatform.architecture]);
  for (let i = 0; i < 6; i++) at = put({ manifests: [at], i });
  top('index.json', { manifests: [at] });
  t.throws(() => seen(archive), /too many nested indexes/);
});
