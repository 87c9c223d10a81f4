import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { newId } from '../../ids.ts';
import { byteString, tarEntry } from '../../layers/tar-entry.ts';
import { BuildError } from '../build-error.ts';
import type { BuildRun } from '../solver/build-run.ts';
import type { LooseFile } from '../solver/copy-step.ts';
import { httpGet } from './http-get.ts';
import { proxiesOf } from './proxies.ts';

/** ADD of a URL: the file, checked against `sha256:…` where one is given. Throws BuildError. */
export async function download(
  url: string,
  { directory, supply, epoch, request }: Pick<BuildRun, 'directory' | 'supply' | 'epoch' | 'request'>,
  checksum: string | null,
): Promise<LooseFile> {
  if (checksum !== null && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw new BuildError(`invalid checksum "${checksum}"; expected sha256:<64 hex digits>`);
  const file = join(directory, newId());
  const hash = createHash('sha256');
  let size = 0;
  const { signal } = supply;
  const response = await httpGet(url, { proxies: proxiesOf(request), signal }).catch((cause: Error) => {
    signal.throwIfAborted();
    throw new BuildError(`ADD failed: ${cause.message}`, { cause });
  });
  if (response.status !== 200) {
    response.body.destroy();
    throw new BuildError(`ADD failed: invalid response status ${response.status} for ${url}`);
  }
  await pipeline(
    response.body,
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
  const modified = epoch?.getTime() ?? Date.parse(response.headers['last-modified'] ?? '');
  return {
    name: byteString(decodeURIComponent(basename(new URL(url).pathname)) || '__unnamed__'),
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
