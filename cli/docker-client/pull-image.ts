import { createInterface } from 'node:readline';
import type { EngineClient } from './engine-client.ts';
import { print } from './terminal.ts';

interface Progress {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly total?: number };
  readonly error?: string;
}

/** Pulls an image and tells each step once; bytes are not counted. Throws with the engine's sentence. */
export async function pullImage(
  engine: EngineClient,
  reference: string,
  output: NodeJS.WritableStream,
): Promise<void> {
  const { image, tag } = splitReference(reference);
  const stream = await engine.stream('POST', '/images/create', { query: { fromImage: image, tag } });
  for await (const line of createInterface({ input: stream })) {
    if (line.trim() === '') continue;
    const { status, id, progressDetail, error } = JSON.parse(line) as Progress;
    if (error !== undefined) throw new Error(error);
    if (status !== undefined && !progressDetail?.total)
      await print(output, `${id ? `${id}: ` : ''}${status}\n`);
  }
}

/** Without a tag the engine would pull all of them. */
function splitReference(reference: string): { image: string; tag: string } {
  const at = reference.indexOf('@');
  if (at > 0) return { image: reference.slice(0, at), tag: reference.slice(at + 1) };
  const colon = reference.lastIndexOf(':');
  if (colon > reference.lastIndexOf('/')) {
    return { image: reference.slice(0, colon), tag: reference.slice(colon + 1) };
  }
  return { image: reference, tag: 'latest' };
}
