import { type IncomingHttpHeaders, type IncomingMessage, Agent as PlainAgent, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getCACertificates } from 'node:tls';
import { Internal } from '../errors.ts';
import { type RegistryCertificates, readCertificates } from './certificates.ts';
import { Unreachable } from './errors.ts';
import { proxyFor } from './proxy.ts';
import { reasonOf } from './reason.ts';

export interface OutgoingRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | AsyncIterable<Buffer>;
  /** Length of a streamed body; without it the body is chunked. */
  readonly bodyBytes?: number;
  /** False: with whatever certificate. */
  readonly verify: boolean;
  readonly signal: AbortSignal;
}

export interface IncomingResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where it came from in the end. */
  readonly url: URL;
  /** To be read to its end or destroyed. */
  readonly body: IncomingMessage;
}

const maxRedirects = 10;
/** To wait for the head of an answer, or for the next bytes of it. */
export const patienceMs = 60_000;
/** For a registry to look over and store what it was sent. */
const storeMs = 600_000;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Connections that nobody uses are closed after this. */
const idleMs = 15_000;

/**
 * HTTP for one piece of work: connections are used again, each host has its own certificates, the proxies of
 * the environment are used. A failure to get an answer is an {@link Unreachable}; to be led astray an Internal.
 */
export class Transport {
  readonly #certificateDirectory: string | null;
  readonly #mayLeaveTls: boolean;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #agents = new Map<string, Promise<PlainAgent | TlsAgent>>();

  constructor(options: {
    /** Null: no host has certificates of its own. */
    readonly certificateDirectory: string | null;
    /** A redirect from TLS to no TLS is followed. */
    readonly mayLeaveTls?: boolean;
    readonly env: Readonly<Record<string, string | undefined>>;
  }) {
    this.#certificateDirectory = options.certificateDirectory;
    this.#mayLeaveTls = options.mayLeaveTls ?? false;
    this.#env = options.env;
  }

  /**
   * Follows redirects of GET and HEAD; what says who we are goes to the first host only. Not from TLS to no TLS
   * where that is not wanted, and not round and round.
   */
  async send(outgoing: OutgoingRequest): Promise<IncomingResponse> {
    let next = outgoing;
    for (let hops = 0; ; hops++) {
      const response = await this.#once(next);
      const { location } = response.headers;
      const follows = next.method === 'GET' || next.method === 'HEAD';
      if (!follows || !redirects.has(response.status) || location === undefined) return response;
      response.body.destroy();
      if (hops >= maxRedirects) throw misled(outgoing, `stopped after ${maxRedirects} redirects`);
      next = redirected(next, location, outgoing, this.#mayLeaveTls);
    }
  }

  async #once(outgoing: OutgoingRequest): Promise<IncomingResponse> {
    const { url, method, body, signal } = outgoing;
    const agent = await this.#agentFor(url, outgoing.verify);
    const length = Buffer.isBuffer(body) ? body.length : outgoing.bodyBytes;
    return new Promise((resolve, reject) => {
      const made = (url.protocol === 'https:' ? tlsRequest : request)(url, {
        method,
        agent,
        signal,
        headers: {
          'User-Agent': 'machine',
          ...outgoing.headers,
          ...(length !== undefined && { 'Content-Length': length }),
        },
      });
      const fail = (error: unknown) => {
        reject(
          signal.aborted
            ? signal.reason
            : new Unreachable(sentence(outgoing, this.#reason(error, url)), { cause: error }),
        );
      };
      made.on('error', fail);
      // While a body is sent, the connection is not idle.
      made.setTimeout(body === undefined ? patienceMs : storeMs, () =>
        made.destroy(new Error('no answer in time')),
      );
      made.on('response', (response) => {
        made.setTimeout(0);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, url, body: response });
      });
      if (body === undefined || Buffer.isBuffer(body)) made.end(body);
      else pipeline(Readable.from(body, { objectMode: false, highWaterMark: 256 * 1024 }), made).catch(fail);
    });
  }

  /** Behind a proxy, it is the proxy that cannot be connected to: said as Go says it. */
  #reason(error: unknown, url: URL): string {
    const reason = reasonOf(error, url);
    const isProxys = proxyFor(url, this.#env) !== null && reason.startsWith('dial tcp');
    return isProxys ? `proxyconnect tcp: ${reason}` : reason;
  }

  #agentFor(url: URL, verify: boolean): Promise<PlainAgent | TlsAgent> {
    const proxy = proxyFor(url, this.#env);
    const key = JSON.stringify([url.protocol, url.host, verify, proxy]);
    let agent = this.#agents.get(key);
    if (!agent) {
      agent = this.#makeAgent(url, verify, proxy);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  async #makeAgent(url: URL, verify: boolean, proxy: string | null): Promise<PlainAgent | TlsAgent> {
    const proxyEnv = proxy === null ? undefined : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    const common = { keepAlive: true, timeout: idleMs, ...(proxyEnv && { proxyEnv }) };
    if (url.protocol !== 'https:') return new PlainAgent(common);
    const certificates =
      this.#certificateDirectory === null
        ? { ca: [], client: [] }
        : await readCertificates(this.#certificateDirectory, url.host);
    return new TlsAgent({
      ...common,
      rejectUnauthorized: verify,
      minVersion: 'TLSv1.2',
      ...trusted(verify, certificates),
      ...(certificates.client.length > 0 && {
        cert: certificates.client.map(({ cert }) => cert),
        key: certificates.client.map(({ key }) => key),
      }),
    });
  }
}

function trusted(verify: boolean, { ca }: RegistryCertificates): { ca?: string[] } {
  return verify ? { ca: [...getCACertificates('default'), ...getCACertificates('system'), ...ca] } : {};
}

/** Throws Internal where the answer leads nowhere that one should go. */
function redirected(
  from: OutgoingRequest,
  location: string,
  first: OutgoingRequest,
  mayLeaveTls: boolean,
): OutgoingRequest {
  const url = URL.canParse(location, from.url.href) ? new URL(location, from.url) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw misled(first, 'redirected to no http or https URL');
  if (!mayLeaveTls && from.url.protocol === 'https:' && url.protocol !== 'https:')
    throw misled(first, `redirected from https to "${url.origin}"`);
  const headers = { ...from.headers };
  if (url.host !== from.url.host || url.protocol !== from.url.protocol) delete headers.Authorization;
  // Another host has its own certificate to show, insecure registry or not.
  return { ...from, url, headers, verify: from.verify || url.host !== first.url.host };
}

/** Another try would be led the same way. */
function misled(outgoing: OutgoingRequest, reason: string): Internal {
  return new Internal(sentence(outgoing, reason));
}

/** In the words of Go's http.Client: `Get "https://…": reason`. Queries may hold secrets and are left out. */
function sentence({ method, url }: OutgoingRequest, reason: string): string {
  return `${method[0]}${method.slice(1).toLowerCase()} "${url.origin}${url.pathname}": ${reason}`;
}
