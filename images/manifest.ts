import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { architectures, imageExtras, type Manifest } from './os-image.ts';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const schema = z.object({
  version: z.literal(1),
  arch: z.enum(architectures),
  digest,
  recipe: digest,
  distribution: z.object({ codename: z.string(), version: z.string() }),
  kernelRelease: z.string(),
  extras: z.array(z.enum(imageExtras)).exactOptional(),
  node: z.object({ package: z.string(), version: z.string(), integrity: z.string() }),
  packages: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      architecture: z.string(),
      sha256: z.string(),
      licences: z.array(z.string()),
      licencesAbsent: z.string().exactOptional(),
    }),
  ),
});

/** Throws when the file is missing, is not JSON or is not a manifest. */
export async function readManifest(path: string): Promise<Manifest> {
  return schema.parse(JSON.parse(await readFile(path, 'utf8')));
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
