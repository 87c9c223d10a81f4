import t from 'tap';
import { choosePlatform } from '../../../guest/registry/choose-platform.ts';
import { InvalidDocument, parseDocument, type RemoteIndex } from '../../../guest/registry/documents.ts';
import { makeImage, makeIndex } from '../../helpers/registry-image.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;

t.test('manifests and indexes of both kinds are read as what they say they are', async (t) => {
  for (const kind of ['docker', 'oci'] as const) {
    const image = makeImage({ layers: [{ files: [] }], kind });
    t.match(parseDocument(image.manifest, image.mediaType), { kind: 'manifest', manifest: { layers: [{}] } });
    const index = makeIndex([{ image, platform: { os: 'linux', architecture: 'arm64' } }], kind);
    t.match(parseDocument(index.bytes, index.mediaType), {
      kind: 'index',
      index: { manifests: [{ digest: image.digest }] },
    });
  }
});

t.test('what is no image is refused with a sentence', async (t) => {
  const manifest = 'application/vnd.oci.image.manifest.v1+json';
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 2 };
  const table: [unknown, string, RegExp][] = [
    ['<html>', manifest, /not a JSON object/],
    [[], manifest, /not a JSON object/],
    [{ schemaVersion: 1 }, 'application/vnd.docker.distribution.manifest.v1+prettyjws', /schema 1/],
    [{ schemaVersion: 2, config, layers: [] }, 'text/html', /unsupported manifest media type "text\/html"/],
    [{ schemaVersion: 2, layers: [] }, manifest, /config/],
    [
      { schemaVersion: 2, config, layers: [{ ...layer, digest: 'sha256:12' }] },
      manifest,
      /layers\.0\.digest/,
    ],
    [{ schemaVersion: 2, config, layers: [{ ...layer, size: -1 }] }, manifest, /layers\.0\.size/],
    [{ schemaVersion: 2, config, layers: Array(1001).fill(layer) }, manifest, /layers/],
    [
      {
        schemaVersion: 2,
        config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
        layers: [],
      },
      manifest,
      /helm\.config\.v1\+json" is no image to run/,
    ],
  ];
  for (const [json, type, message] of table) {
    const bytes = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
    t.throws(() => parseDocument(bytes, type), { message }, String(message));
  }
});

t.test('CVE-2021-41190: a document that could be both a manifest and an index is neither', async (t) => {
  const both = { schemaVersion: 2, manifests: [], layers: [], config: { mediaType: 'x', digest, size: 1 } };
  for (const type of ['manifest', 'index'])
    t.throws(
      () => parseDocument(Buffer.from(JSON.stringify(both)), `application/vnd.oci.image.${type}.v1+json`),
      InvalidDocument,
    );
});

t.test('an index gives the image for this computer or the platform asked for', async (t) => {
  const entry = (name: string, platform?: object, annotations?: Record<string, string>) => ({
    mediaType: 'm',
    digest: `sha256:${name.repeat(64)}`,
    size: 1,
    ...(platform && { platform }),
    ...(annotations && { annotations }),
  });
  const index = {
    schemaVersion: 2,
    manifests: [
      entry('a', { os: 'unknown', architecture: 'unknown' }),
      entry(
        'b',
        { os: 'linux', architecture: 'amd64' },
        { 'vnd.docker.reference.type': 'attestation-manifest' },
      ),
      entry('c', { os: 'linux', architecture: 'arm', variant: 'v6' }),
      entry('d', { os: 'linux', architecture: 'arm', variant: 'v7' }),
      entry('e', { os: 'linux', architecture: 'amd64' }),
      entry('f', { os: 'linux', architecture: 'arm64', variant: 'v8' }),
    ],
  } as RemoteIndex;
  const chosen = (architecture: string, variant?: string) =>
    choosePlatform(index, { os: 'linux', architecture, variant }).digest[7];
  t.equal(chosen('amd64'), 'e');
  t.equal(chosen('arm', 'v7'), 'd');
  t.equal(chosen('arm64'), 'f');
  t.throws(() => chosen('s390x'), {
    message: 'no matching manifest for linux/s390x in the manifest list entries',
    httpStatus: 404,
  });
});
