import * as z from 'zod';
import type { Digest } from '../digest.ts';
import { InvalidParameter } from '../errors.ts';
import type { Reference } from '../reference.ts';

/** The JSON files inside image archives. Members that nobody here reads are not checked. */

/** `manifest.json` of `docker save`: one item an image. */
export const dockerManifest = z.array(
  z.looseObject({
    Config: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string()).nullish(),
    /** The image that it was committed from, if that is in the archive, too. */
    Parent: z.string().nullish(),
  }),
);

const descriptor = z.looseObject({
  mediaType: z.string().nullish(),
  digest: z.string(),
  size: z.number(),
  platform: z
    .looseObject({ os: z.string(), architecture: z.string(), variant: z.string().nullish() })
    .nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
export type ArchiveDescriptor = z.infer<typeof descriptor>;

/** OCI image spec: `index.json` and nested indexes have `manifests`, a manifest has the others. */
export const ociDocument = z.looseObject({
  manifests: z.array(descriptor).nullish(),
  config: descriptor.nullish(),
  layers: z.array(descriptor).nullish(),
});

/** Throws InvalidParameter that names the file. */
export function parseDocument<T>(name: string, bytes: Buffer, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch (cause) {
    throw new InvalidParameter(`invalid image archive: ${name} is not JSON`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new InvalidParameter(`invalid image archive: ${name}: ${issue.path.join('.')}: ${issue.message}`);
}

/** What they say of an image. */
export interface ImageDescription {
  readonly config: Buffer;
  readonly paths: readonly string[];
  readonly names: readonly Reference[];
  readonly parent: Digest | null;
  readonly untold?: true;
}
