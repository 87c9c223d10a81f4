import type { Digest } from '../digest.ts';
import type { Reference } from '../reference.ts';
import { Refused, Unreachable } from './errors.ts';
import { isTransient, maxAttempts, pause, type RetryOptions } from './retry.ts';
import type { RegistrySession } from './session.ts';
import type { IncomingResponse } from './transport.ts';

/** A blob to send: its bytes from any place on, as often as needed. */
export interface UploadSource {
  readonly digest: Digest;
  readonly size: number;
  open(start: number): Promise<AsyncIterable<Buffer>> | AsyncIterable<Buffer>;
}

/** What is sent at once; after a break no more than this goes over the line again. */
const chunkBytes = 64 * 1024 * 1024;

/** The requests of the distribution spec that write to one repository. */
export class RepositoryWriter {
  readonly #session: RegistrySession;
  readonly #root: string;
  readonly #scopes: readonly string[];

  constructor(session: RegistrySession, { path }: Pick<Reference, 'path'>) {
    this.#session = session;
    this.#root = `/v2/${path}`;
    this.#scopes = [`repository:${path}:pull,push`];
  }

  /** Whether the repository has the blob. */
  async has(digest: Digest, signal: AbortSignal): Promise<boolean> {
    const response = await this.#session.request({
      method: 'HEAD',
      at: `${this.#root}/blobs/${digest}`,
      scopes: this.#scopes,
      expects: [200, 404],
      signal,
    });
    response.body.resume();
    return response.status === 200;
  }

  /** Takes a blob over from another repository of the registry; false when that cannot be. */
  async mount(digest: Digest, from: string, signal: AbortSignal): Promise<boolean> {
    try {
      const query = new URLSearchParams({ mount: digest, from });
      const response = await this.#session.request({
        method: 'POST',
        at: `${this.#root}/blobs/uploads/?${query}`,
        scopes: [...this.#scopes, `repository:${from}:pull`],
        expects: [201, 202],
        signal,
      });
      response.body.resume();
      // 202 is the beginning of an upload, which nobody goes on with.
      if (response.status === 202) await this.#abandon(locationOf(response), signal);
      return response.status === 201;
    } catch (error) {
      if (error instanceof Refused) return false;
      throw error;
    }
  }

  /** Sends a blob in chunks; after a break it goes on where the registry says that it is. */
  async upload(
    source: UploadSource,
    options: RetryOptions & { readonly onBytes: (sent: number) => void },
  ): Promise<void> {
    const { signal } = options;
    for (let failures = 0; ; ) {
      try {
        await this.#uploadOnce(source, options);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isTransient(error) || ++failures >= maxAttempts) throw error;
        await pause(failures, options);
      }
    }
  }

  /** @param tag or digest */
  async putManifest(
    tag: string,
    { mediaType, bytes }: { readonly mediaType: string; readonly bytes: Buffer },
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#session.request({
      method: 'PUT',
      at: `${this.#root}/manifests/${tag}`,
      scopes: this.#scopes,
      headers: { 'Content-Type': mediaType },
      body: () => bytes,
      expects: [200, 201, 202],
      signal,
    });
    response.body.resume();
  }

  async #uploadOnce(
    source: UploadSource,
    options: RetryOptions & { readonly onBytes: (sent: number) => void },
  ): Promise<void> {
    const { signal } = options;
    const begun = await this.#session.request({
      method: 'POST',
      at: `${this.#root}/blobs/uploads/`,
      scopes: this.#scopes,
      body: () => Buffer.alloc(0),
      expects: [202],
      signal,
    });
    begun.body.resume();
    let at = locationOf(begun);
    let failures = 0;
    try {
      for (let sent = 0; sent < source.size; ) {
        try {
          at = await this.#chunk(at, source, sent, options);
          sent = Math.min(sent + chunkBytes, source.size);
        } catch (error) {
          signal.throwIfAborted();
          if (!isTransient(error) || ++failures >= maxAttempts) throw error;
          await pause(failures, options);
          ({ at, sent } = await this.#status(at, signal));
        }
      }
      const end = new URL(at);
      end.searchParams.set('digest', source.digest);
      const response = await this.#session.request({
        method: 'PUT',
        at: end.href,
        scopes: this.#scopes,
        body: () => Buffer.alloc(0),
        expects: [200, 201, 204],
        signal,
      });
      response.body.resume();
    } catch (error) {
      await this.#abandon(at, AbortSignal.timeout(5000));
      throw error;
    }
  }

  /** Returns where the next one goes. */
  async #chunk(
    at: string,
    source: UploadSource,
    start: number,
    { signal, onBytes }: RetryOptions & { readonly onBytes: (sent: number) => void },
  ): Promise<string> {
    const end = Math.min(start + chunkBytes, source.size);
    const response = await this.#session.request({
      method: 'PATCH',
      at,
      scopes: this.#scopes,
      headers: { 'Content-Type': 'application/octet-stream', 'Content-Range': `${start}-${end - 1}` },
      body: () => part(source, { start, end, onBytes }),
      bodyBytes: end - start,
      expects: [202, 204],
      signal,
    });
    response.body.resume();
    return locationOf(response, at);
  }

  /** How far the registry is with an upload. */
  async #status(at: string, signal: AbortSignal): Promise<{ at: string; sent: number }> {
    const response = await this.#session.request({
      method: 'GET',
      at,
      scopes: this.#scopes,
      expects: [204],
      signal,
    });
    response.body.resume();
    const last = /^(?:bytes=)?0-(\d+)$/.exec(String(response.headers.range ?? ''))?.[1];
    return { at: locationOf(response, at), sent: last === undefined || last === '0' ? 0 : Number(last) + 1 };
  }

  /** Best effort: registries forget uploads that nobody goes on with. */
  async #abandon(at: string, signal: AbortSignal): Promise<void> {
    try {
      const response = await this.#session.request({
        method: 'DELETE',
        at,
        scopes: this.#scopes,
        expects: [204],
        signal,
      });
      response.body.resume();
    } catch {}
  }
}

async function* part(
  source: UploadSource,
  { start, end, onBytes }: { start: number; end: number; onBytes: (sent: number) => void },
): AsyncGenerator<Buffer> {
  let at = start;
  for await (const bytes of await source.open(start)) {
    const wanted = bytes.subarray(0, end - at);
    at += wanted.length;
    onBytes(at);
    yield wanted;
    if (at === end) return;
  }
}

function locationOf({ headers, url }: IncomingResponse, otherwise?: string): string {
  const { location } = headers;
  if (location === undefined && otherwise !== undefined) return otherwise;
  if (location === undefined || !URL.canParse(location, url.href))
    throw new Unreachable('the registry says nowhere to send the blob');
  return new URL(location, url).href;
}
