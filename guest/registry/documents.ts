import * as z from 'zod';
import { type Digest, isDigest } from '../digest.ts';
import { EngineError } from '../errors.ts';

/** What registries hold, by media type: OCI's (image spec, media-types.md) and Docker's own of the same shape. */
export const mediaTypes = {
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
} as const;

const manifestTypes: readonly string[] = [mediaTypes.dockerManifest, mediaTypes.ociManifest];
const indexTypes: readonly string[] = [mediaTypes.dockerList, mediaTypes.ociIndex];
const configTypes: readonly string[] = [
  mediaTypes.dockerConfig,
  mediaTypes.ociConfig,
  // Old tools of Docker's wrote this.
  'application/octet-stream',
];

/** All that a manifest may be asked for as. */
export function isIndexType(mediaType: string): boolean {
  return indexTypes.includes(mediaType);
}

export const acceptedManifests: readonly string[] = [...manifestTypes, ...indexTypes];

/** No manifest is larger, as in the distribution project's registry. */
export const maxManifestBytes = 4 * 1024 * 1024;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'invalid digest');
const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const descriptor = z.looseObject({ mediaType: z.string(), digest, size });
export type RemoteDescriptor = z.infer<typeof descriptor>;

const platform = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().nullish(),
});

const manifest = z.looseObject({
  mediaType: z.string().nullish(),
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: z.array(descriptor).max(1000),
});
export type RemoteManifest = z.infer<typeof manifest>;

const index = z.looseObject({
  mediaType: z.string().nullish(),
  schemaVersion: z.literal(2),
  manifests: z
    .array(
      z.looseObject({
        mediaType: z.string(),
        digest,
        size,
        platform: platform.nullish(),
        annotations: z.record(z.string(), z.string()).nullish(),
      }),
    )
    .max(10_000),
});
export type RemoteIndex = z.infer<typeof index>;

/** What a tag or digest of a repository leads to. */
export type RemoteDocument =
  | { readonly kind: 'manifest'; readonly manifest: RemoteManifest }
  | { readonly kind: 'index'; readonly index: RemoteIndex };

/** A registry's document that is none, or is for something else than running it. */
export class InvalidDocument extends EngineError {
  readonly httpStatus = 500;
}

/**
 * Throws InvalidDocument. A document is read as what it says it is; and it may not look like the other kind
 * too, or two programs would see two things in it (CVE-2021-41190).
 */
export function parseDocument(bytes: Buffer, contentType: string): RemoteDocument {
  const json = parseJson(bytes);
  const { mediaType = contentType, schemaVersion, manifests, layers, config } = json;
  const type = String(mediaType || contentType);
  if (schemaVersion === 1) {
    throw new InvalidDocument(
      'the registry has the image as a manifest of schema 1 only, which is no longer in use; have it pushed anew',
    );
  }
  if (manifests !== undefined && (layers !== undefined || config !== undefined))
    throw new InvalidDocument('invalid manifest: it is both an image and a list of images');
  if (indexTypes.includes(type)) return { kind: 'index', index: check(json, index) };
  if (!manifestTypes.includes(type))
    throw new InvalidDocument(`unsupported manifest media type ${JSON.stringify(type)}`);
  const parsed = check(json, manifest);
  if (!configTypes.includes(parsed.config.mediaType))
    throw new InvalidDocument(
      `invalid rootfs in image configuration: ${JSON.stringify(parsed.config.mediaType)} is no image to run`,
    );
  return { kind: 'manifest', manifest: parsed };
}

function parseJson(bytes: Buffer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(bytes.toString());
    if (typeof json === 'object' && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {}
  throw new InvalidDocument('invalid manifest: not a JSON object');
}

function check<T>(json: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new InvalidDocument(`invalid manifest: ${issue.path.join('.')}: ${issue.message}`);
}
