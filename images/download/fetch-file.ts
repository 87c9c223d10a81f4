import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Untrusted } from '../../drivers/errors.ts';
import { sizeOf } from '../size-of.ts';
import { Interrupted, type OpenOptions, openUrl } from './request.ts';
import { type RetryOptions, retry } from './retry.ts';

export interface FetchFileOptions extends OpenOptions, RetryOptions {
  readonly url: string;
  /** Where the file goes once it is verified; `<path>.part` until then, kept on failure to resume from. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly onBytes?: (doneBytes: number) => void;
}

/**
 * Fetches a file whose hash is known, unless it is there already. Resumes what an earlier call left, tries
 * again when the connection breaks, and names the file only when every byte is verified: a file at `path` can
 * be trusted. Throws Untrusted when the hash is wrong, Unavailable when it cannot be had.
 */
export async function fetchFile(options: FetchFileOptions): Promise<void> {
  const { path, onBytes, sizeBytes } = options;
  if ((await sizeOf(path)) === sizeBytes) {
    onBytes?.(sizeBytes);
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const resumed = (await sizeOf(`${path}.part`)) > 0;
  try {
    await retry(() => attempt(options), options);
  } catch (error) {
    // What was left may be of another file or broken: once more from nothing before blaming the server.
    if (!resumed || !(error instanceof Untrusted)) throw error;
    await retry(() => attempt(options), options);
  }
}

async function attempt({
  url,
  path,
  sha256,
  sizeBytes,
  onBytes,
  ...request
}: FetchFileOptions): Promise<void> {
  const part = `${path}.part`;
  let done = await sizeOf(part);
  if (done > sizeBytes) {
    await rm(part);
    done = 0;
  }
  let hash = await hashOf(part, done);
  if (done < sizeBytes) {
    const headers: Record<string, string> = done > 0 ? { range: `bytes=${done}-` } : {};
    const { response, body } = await openUrl(url, { ...request, headers });
    if (response.status !== 206) {
      done = 0;
      hash = createHash('sha256');
    }
    const output = await open(part, done > 0 ? 'a' : 'w');
    try {
      for await (const chunk of body) {
        done += chunk.length;
        if (done > sizeBytes) break;
        hash.update(chunk);
        await output.writeFile(chunk);
        onBytes?.(done);
      }
      await output.sync();
    } finally {
      await output.close();
    }
    if (done < sizeBytes) throw new Interrupted(`${url} ended after ${done} of ${sizeBytes} bytes`);
  }
  const found = hash.digest('hex');
  if (done !== sizeBytes || found !== sha256) {
    await rm(part);
    const what = done > sizeBytes ? `more than ${sizeBytes} bytes` : `sha256 ${found} instead of ${sha256}`;
    throw new Untrusted(`${url} is not the file that was signed for (${what}); nothing of it was used`);
  }
  await rename(part, path);
  onBytes?.(sizeBytes);
}

async function hashOf(path: string, size: number): Promise<Hash> {
  const hash = createHash('sha256');
  if (size > 0) for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash;
}
