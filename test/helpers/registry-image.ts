// Node 20, which runs tests of host code, has no zstd.
import * as zlib from 'node:zlib';
import { type Digest, digestOf } from '../../guest/digest.ts';
import { type MemberSpec, makeTar } from './tar.ts';

export type LayerCompression = 'gzip' | 'zstd' | 'none';

export interface ImageSpec {
  readonly layers: readonly {
    readonly files: readonly MemberSpec[];
    readonly compression?: LayerCompression;
  }[];
  /** Docker's media types (schema 2) or OCI's. */
  readonly kind?: 'docker' | 'oci';
  readonly architecture?: string;
  readonly config?: object;
}

/** An image as a registry holds it. */
export interface RegistryImage {
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly id: Digest;
  /** Configuration and layers by digest. */
  readonly blobs: ReadonlyMap<Digest, Buffer>;
  /** Compressed, bottom first. */
  readonly layers: readonly Digest[];
}

const types = {
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: (kind: LayerCompression) =>
      `application/vnd.docker.image.rootfs.diff.tar${kind === 'none' ? '' : `.${kind}`}`,
  },
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: (kind: LayerCompression) =>
      `application/vnd.oci.image.layer.v1.tar${kind === 'none' ? '' : `+${kind}`}`,
  },
};

export const hostArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

export function makeImage({
  layers,
  kind = 'docker',
  architecture = hostArchitecture,
  config = {},
}: ImageSpec): RegistryImage {
  const made = layers.map(({ files, compression = 'gzip' }) => {
    const tar = makeTar(files);
    return { tar, blob: compress(tar, compression), mediaType: types[kind].layer(compression) };
  });
  const document = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      created: '2020-01-01T00:00:00Z',
      config: { Cmd: ['sh'], Env: ['PATH=/bin'], ...config },
      rootfs: { type: 'layers', diff_ids: made.map(({ tar }) => digestOf(tar)) },
    }),
  );
  const describe = (mediaType: string, bytes: Buffer) => ({
    mediaType,
    size: bytes.length,
    digest: digestOf(bytes),
  });
  // With white space of its own: who makes it anew makes another one.
  const manifest = Buffer.from(
    JSON.stringify(
      {
        schemaVersion: 2,
        mediaType: types[kind].manifest,
        config: describe(types[kind].config, document),
        layers: made.map(({ blob, mediaType }) => describe(mediaType, blob)),
      },
      null,
      3,
    ),
  );
  return {
    manifest,
    mediaType: types[kind].manifest,
    digest: digestOf(manifest),
    id: digestOf(document),
    blobs: new Map([document, ...made.map(({ blob }) => blob)].map((bytes) => [digestOf(bytes), bytes])),
    layers: made.map(({ blob }) => digestOf(blob)),
  };
}

export interface RegistryIndex {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** One name for several platforms, with an attestation among them as BuildKit makes them. */
export function makeIndex(
  images: readonly { readonly image: RegistryImage; readonly platform: object }[],
  kind: 'docker' | 'oci' = 'oci',
): RegistryIndex {
  const mediaType =
    kind === 'oci'
      ? 'application/vnd.oci.image.index.v1+json'
      : 'application/vnd.docker.distribution.manifest.list.v2+json';
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      manifests: images.map(({ image, platform }) => ({
        mediaType: image.mediaType,
        digest: image.digest,
        size: image.manifest.length,
        platform,
      })),
    }),
  );
  return { bytes, mediaType, digest: digestOf(bytes) };
}

/** Puts an image into a registry under a tag or its digest, with nothing of our client. */
export async function putImage(
  base: string,
  repository: string,
  image: RegistryImage,
  tag: string = image.digest,
): Promise<void> {
  for (const [digest, bytes] of image.blobs) {
    const begun = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const at = new URL(begun.headers.get('location')!, base);
    at.searchParams.set('digest', digest);
    await sent(await fetch(at, { method: 'PUT', body: new Uint8Array(bytes) }));
  }
  await putManifest(base, repository, { bytes: image.manifest, mediaType: image.mediaType }, tag);
}

export async function putManifest(
  base: string,
  repository: string,
  { bytes, mediaType }: { readonly bytes: Buffer; readonly mediaType: string },
  tag: string,
): Promise<void> {
  const headers = { 'Content-Type': mediaType };
  const url = `${base}/v2/${repository}/manifests/${tag}`;
  await sent(await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) }));
}

async function sent(response: Response): Promise<void> {
  if (response.status !== 201)
    throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
}

function compress(tar: Buffer, kind: LayerCompression): Buffer {
  if (kind === 'gzip') return zlib.gzipSync(tar, { level: 9 });
  return kind === 'zstd' ? zlib.zstdCompressSync(tar) : tar;
}
