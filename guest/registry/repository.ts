import { type Digest, digestOf, isDigest, parseDigest } from '../digest.ts';
import type { Reference } from '../reference.ts';
import { acceptedManifests, InvalidDocument, maxManifestBytes } from './documents.ts';
import { Unreachable } from './errors.ts';
import { readLimited } from './read-limited.ts';
import type { RegistrySession } from './session.ts';
import type { IncomingResponse } from './transport.ts';

export interface FetchedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

const maxTagPages = 1000;

/** Where an image's documents and blobs come from: a repository of a registry, or what a client has. */
export interface ImageSource {
  manifest(wanted: string, signal: AbortSignal): Promise<FetchedManifest>;
  /** Its bytes from `offset` on; `begins` is where they really begin. */
  blob(
    digest: Digest,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ readonly body: BlobBody; readonly begins: number }>;
}

/** To be read to its end or destroyed. */
export type BlobBody = AsyncIterable<Buffer> & { destroy(error?: Error): unknown };

/** One repository of a registry: the requests of the distribution spec that read. */
export class Repository implements ImageSource {
  readonly session: RegistrySession;
  /** Path within the registry. */
  readonly path: string;
  readonly #root: string;
  readonly #scopes: readonly string[];

  constructor(session: RegistrySession, { path }: Pick<Reference, 'path'>) {
    this.session = session;
    this.path = path;
    this.#root = `/v2/${path}`;
    this.#scopes = [`repository:${path}:pull`];
  }

  /**
   * @param wanted a tag or digest
   * @throws Refused, Unreachable; InvalidDocument when the bytes are not those of the digest
   */
  async manifest(wanted: string, signal: AbortSignal): Promise<FetchedManifest> {
    const response = await this.session.request({
      method: 'GET',
      at: `${this.#root}/manifests/${wanted}`,
      scopes: this.#scopes,
      headers: { Accept: acceptedManifests.join(', ') },
      expects: [200],
      signal,
    });
    const bytes = await readLimited(response.body, maxManifestBytes, 'the manifest');
    const digest = digestOf(bytes);
    const claimed = isDigest(wanted) ? wanted : response.headers['docker-content-digest'];
    if (typeof claimed === 'string' && isDigest(claimed) && claimed !== digest)
      throw new InvalidDocument(
        `manifest verification failed for digest ${claimed}: it has the bytes of ${digest}`,
      );
    return { digest, mediaType: mediaTypeOf(response), bytes };
  }

  /** The digest of a tag without its bytes, and how many they are; null when the registry does not say. */
  async digestOf(
    wanted: string,
    signal: AbortSignal,
  ): Promise<{ digest: Digest; mediaType: string; size: number } | null> {
    const response = await this.session.request({
      method: 'HEAD',
      at: `${this.#root}/manifests/${wanted}`,
      scopes: this.#scopes,
      headers: { Accept: acceptedManifests.join(', ') },
      expects: [200, 404, 405],
      signal,
    });
    response.body.resume();
    const digest = response.headers['docker-content-digest'];
    if (response.status !== 200 || typeof digest !== 'string') return null;
    return {
      digest: parseDigest(digest),
      mediaType: mediaTypeOf(response),
      size: Number(response.headers['content-length'] ?? 0),
    };
  }

  /**
   * A blob's bytes from `offset` on, as they come; nothing of them is verified.
   *
   * @returns where the body really begins: a registry may know no ranges and give the whole
   */
  async blob(
    digest: Digest,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ readonly body: IncomingResponse['body']; readonly begins: number }> {
    const response = await this.session.request({
      method: 'GET',
      at: `${this.#root}/blobs/${digest}`,
      scopes: this.#scopes,
      headers: offset > 0 ? { Range: `bytes=${offset}-` } : {},
      expects: [200, 206],
      signal,
    });
    if (response.status === 200) return { body: response.body, begins: 0 };
    const begins = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
    if (Number(begins) === offset) return { body: response.body, begins: offset };
    response.body.destroy();
    throw new Unreachable(`the registry gave another part of blob ${digest} than was asked for`);
  }

  /** Every tag. */
  async tags(signal: AbortSignal): Promise<string[]> {
    const tags: string[] = [];
    let at: string | null = `${this.#root}/tags/list`;
    for (let page = 0; at !== null && page < maxTagPages; page++) {
      const response = await this.session.request({
        method: 'GET',
        at,
        scopes: this.#scopes,
        expects: [200],
        signal,
      });
      const bytes = await readLimited(response.body, maxManifestBytes, 'the list of tags');
      tags.push(...tagsIn(bytes));
      at = nextPage(response, at);
    }
    return tags;
  }
}

function mediaTypeOf({ headers }: IncomingResponse): string {
  return (headers['content-type'] ?? '').split(';')[0]!.trim();
}

function tagsIn(bytes: Buffer): string[] {
  try {
    const { tags } = JSON.parse(bytes.toString()) as { tags?: unknown };
    // An empty repository has null.
    if (tags === null || tags === undefined) return [];
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags;
  } catch {}
  throw new InvalidDocument('the registry gave no list of tags');
}

/** RFC 8288, as the distribution spec uses it: on the same registry. */
function nextPage({ headers, url }: IncomingResponse, last: string): string | null {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(String(headers.link ?? ''))?.[1];
  if (!target || !URL.canParse(target, url.href)) return null;
  const next = new URL(target, url);
  const at = `${next.pathname}${next.search}`;
  return next.origin === url.origin && at !== last ? at : null;
}
