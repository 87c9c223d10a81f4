import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { newId } from '../../ids.ts';
import { byteString, tarEntry } from '../../layers/tar-entry.ts';
import { BuildError } from '../build-error.ts';
import type { BuildRun } from '../solver/build-run.ts';
import type { LooseFile } from '../solver/copy-step.ts';

/** ADD of a URL: the file, checked against `sha256:…` where one is given. Throws BuildError. */
export async function download(
  url: string,
  { directory, supply, epoch }: Pick<BuildRun, 'directory' | 'supply' | 'epoch'>,
  checksum: string | null,
): Promise<LooseFile> {
  if (checksum !== null && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw new BuildError(`invalid checksum "${checksum}"; expected sha256:<64 hex digits>`);
  const file = join(directory, newId());
  const hash = createHash('sha256');
  let size = 0;
  let response: Response;
  try {
    response = await fetch(url, { signal: supply.signal });
  } catch (cause) {
    supply.signal.throwIfAborted();
    throw new BuildError(`ADD failed: cannot get ${url}: ${reasonOf(cause)}`, { cause });
  }
  if (!response.ok || !response.body)
    throw new BuildError(`ADD failed: invalid response status ${response.status} for ${url}`);
  await pipeline(
    Readable.fromWeb(response.body),
    async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(file, { mode: 0o600 }),
  );
  const hex = hash.digest('hex');
  if (checksum !== null && checksum !== `sha256:${hex}`)
    throw new BuildError(`digest mismatch sha256:${hex}: ${checksum}`);
  const modified = epoch?.getTime() ?? Date.parse(response.headers.get('last-modified') ?? '');
  return {
    name: byteString(decodeURIComponent(basename(new URL(url).pathname)) || 'download'),
    file,
    member: {
      entry: tarEntry({
        path: '',
        type: 'file',
        mode: 0o600,
        size,
        mtimeNs: BigInt(Number.isNaN(modified) ? 0 : modified) * 1_000_000n,
      }),
      content: () => createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>,
      hash: hex,
    },
  };
}

/** Node hides why a connection failed in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: Error };
  return cause?.message || message;
}
