import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type Digest, digestOf } from '../../guest/digest.ts';
import type { RegistryImage } from './registry-image.ts';

/** Answers a request in its own way; false lets the registry answer. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

interface Stored {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/**
 * A registry in memory that does what a script says: the reading half of the distribution spec and monolithic
 * or chunked uploads. It listens on a free port of 127.0.0.1.
 */
export class FakeRegistry {
  /** Every request, `GET /v2/…`, in order. */
  readonly requests: string[] = [];
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, Stored>();
  readonly #uploads = new Map<string, Buffer>();
  readonly #server: Server;
  readonly #scheme: string;
  intercept: Intercept = () => false;
  /** So many uploads are cut when their first bytes have come. */
  uploadsToCut = 0;

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.#scheme = scheme;
  }

  static async open(
    t: { teardown(close: () => unknown): unknown },
    tls?: ServerOptions,
  ): Promise<FakeRegistry> {
    const server = tls ? createTlsServer(tls) : createServer();
    const registry = new FakeRegistry(server, tls ? 'https' : 'http');
    server.on('request', (request, response) => void registry.#serve(request, response));
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.#scheme}://${this.host}`;
  }

  put(repository: string, image: RegistryImage, tag = '1'): void {
    for (const [digest, bytes] of image.blobs) this.blobs.set(digest, bytes);
    this.putManifest(repository, { bytes: image.manifest, mediaType: image.mediaType }, tag);
  }

  putManifest(repository: string, stored: Stored, tag: string): void {
    for (const name of [tag, digestOf(stored.bytes)]) this.manifests.set(`${repository}:${name}`, stored);
  }

  /** How often a blob was asked for. */
  downloads(digest: Digest): number {
    return this.requests.filter((line) => line.startsWith('GET ') && line.endsWith(`/blobs/${digest}`))
      .length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    response.on('error', () => {});
    if (await this.intercept(request, response)) return;
    const url = new URL(request.url!, this.url);
    const [, repository, kind, name] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.*)$/.exec(url.pathname) ?? [];
    if (url.pathname === '/v2/') response.end('{}');
    else if (kind === 'manifests') await this.#manifest(request, response, repository!, name!);
    else if (kind === 'tags') this.#tags(response, repository!);
    else if (kind === 'blobs' && name!.startsWith('uploads/')) await this.#upload(request, response, url);
    else if (kind === 'blobs') this.#blob(request, response, name!);
    else response.writeHead(404).end();
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    name: string,
  ): Promise<void> {
    if (request.method === 'PUT') {
      const bytes = await buffer(request);
      this.putManifest(repository, { bytes, mediaType: request.headers['content-type']! }, name);
      response.writeHead(201).end();
      return;
    }
    const found = this.manifests.get(`${repository}:${name}`);
    if (!found) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    response.writeHead(200, {
      'Content-Type': found.mediaType,
      'Content-Length': found.bytes.length,
      'Docker-Content-Digest': digestOf(found.bytes),
    });
    response.end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  #tags(response: ServerResponse, name: string): void {
    const tags = [...this.manifests.keys()]
      .filter((key) => key.startsWith(`${name}:`) && !key.includes('sha256:'))
      .map((key) => key.slice(name.length + 1));
    response.end(JSON.stringify({ name, tags }));
  }

  #blob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const bytes = this.blobs.get(digest);
    if (!bytes) {
      refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
      return;
    }
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'Content-Length': bytes.length - start,
      ...(start > 0 && { 'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start));
  }

  async #upload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (request.method === 'POST') {
      const at = `${url.pathname}${this.#uploads.size}`;
      this.#uploads.set(at, Buffer.alloc(0));
      response.writeHead(202, { Location: at }).end();
      return;
    }
    const have = this.#uploads.get(url.pathname);
    if (!have) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
    const headers = { Location: url.pathname, Range: `0-${Math.max(have.length - 1, 0)}` };
    if (request.method === 'GET') {
      response.writeHead(204, headers).end();
      return;
    }
    const pieces = [have];
    // What came before a break stays, as in the distribution project's registry.
    request.on('data', (piece: Buffer) => {
      pieces.push(piece);
      this.#uploads.set(url.pathname, Buffer.concat(pieces));
      if (this.uploadsToCut-- > 0) request.destroy();
    });
    await once(request, 'end').catch(() => {});
    if (request.destroyed && !request.complete) return;
    if (request.method === 'PATCH') {
      response.writeHead(202, headers).end();
      return;
    }
    const digest = url.searchParams.get('digest')!;
    const whole = Buffer.concat(pieces);
    if (digestOf(whole) !== digest)
      return refuse(response, 400, 'DIGEST_INVALID', 'provided digest did not match');
    this.blobs.set(digest, whole);
    response.writeHead(201).end();
  }
}

/** An error of the distribution spec. */
export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
