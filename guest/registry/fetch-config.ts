import { verified } from '../content/verified.ts';
import { maxConfigBytes } from '../images/image-config.ts';
import { downloadBlob } from './blob-download.ts';
import type { RemoteManifest } from './documents.ts';
import { Excessive } from './read-limited.ts';
import type { ImageSource } from './repository.ts';

/** The configuration that a manifest names, verified. Throws Excessive, and what a download throws. */
export async function fetchConfig(
  source: ImageSource,
  { config }: RemoteManifest,
  { signal, retryDelayMs }: { readonly signal: AbortSignal; readonly retryDelayMs: number },
): Promise<Buffer> {
  if (config.size > maxConfigBytes)
    throw new Excessive(`the image configuration is larger than ${maxConfigBytes} bytes`);
  const bytes = downloadBlob(source, config, { signal, firstDelayMs: retryDelayMs });
  const pieces: Buffer[] = [];
  for await (const piece of verified(bytes, { digest: config.digest, maxBytes: config.size }))
    pieces.push(piece);
  return Buffer.concat(pieces);
}
