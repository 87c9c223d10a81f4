import { STATUS_CODES } from 'node:http';
import { Internal, Unauthorized } from '../errors.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import { basic, type Credentials } from './credentials.ts';
import type { Endpoint } from './endpoints.ts';
import { refusalOf, Unreachable } from './errors.ts';
import { readLimited } from './read-limited.ts';
import { fetchToken, type Token } from './token.ts';
import type { IncomingResponse, OutgoingRequest, Transport } from './transport.ts';

const maxErrorBytes = 64 * 1024;

export type SessionRequest = Pick<OutgoingRequest, 'method' | 'headers' | 'bodyBytes' | 'signal'> & {
  /** Path from the registry's root, or a URL that it gave. */
  readonly at: string;
  /** Such as `repository:a/b:pull`. */
  readonly scopes: readonly string[];
  /** Made anew when the request is sent again, with a fresh token. */
  readonly body?: () => Buffer | AsyncIterable<Buffer>;
  /** Statuses that are no error. */
  readonly expects: readonly number[];
};

/**
 * One registry, talked to as one user: finds out what it wants to see, gets tokens and renews them, and turns
 * refusals into errors.
 */
export class RegistrySession {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  readonly #transport: Transport;
  #challenge: Challenge | null = null;
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(options: {
    readonly endpoint: Endpoint;
    readonly credentials: Credentials;
    readonly transport: Transport;
  }) {
    this.endpoint = options.endpoint;
    this.credentials = options.credentials;
    this.#transport = options.transport;
  }

  /** Asks whether a registry is there, and what it wants to see. Throws Unreachable. */
  async connect(signal: AbortSignal): Promise<void> {
    const response = await this.#send({ method: 'GET', at: '/v2/', scopes: [], expects: [], signal }, {});
    response.body.resume();
    this.#challenge = parseChallenge(response.headers['www-authenticate']);
  }

  /** Throws Refused, Unreachable; Internal when there are no credentials to show. */
  async request(request: SessionRequest): Promise<IncomingResponse> {
    let response = await this.#send(request, await this.#authorization(request));
    if (response.status === 401) {
      const challenge = parseChallenge(response.headers['www-authenticate']);
      // The token has run out, or another repository wants another kind.
      if (challenge?.scheme === 'bearer') {
        response.body.resume();
        this.#challenge = challenge;
        const named = challenge.scope?.split(' ') ?? [];
        const scopes = [...new Set([...request.scopes, ...named])];
        this.#tokens.delete(keyOf(scopes));
        response = await this.#send(request, await this.#authorization({ ...request, scopes }));
      }
    }
    if (request.expects.includes(response.status)) return response;
    // Credentials that are not taken are none, as far as dockerd says.
    if (response.status === 401 && this.#challenge?.scheme === 'basic') {
      response.body.resume();
      throw this.#noBasic(
        request,
        ` that the registry takes; docker login ${new URL(this.endpoint.base).host}`,
      );
    }
    const body = await readLimited(response.body, maxErrorBytes, 'an error of the registry');
    throw refusalOf(response.status, body.toString());
  }

  /** Proves the credentials (`docker login`). Throws Refused. Returns the identity token, if there is one. */
  async login(signal: AbortSignal): Promise<string> {
    const challenge = this.#challenge;
    if (challenge?.scheme !== 'bearer') {
      const Authorization = basic(this.credentials);
      const response = await this.#send(
        { method: 'GET', at: '/v2/', scopes: [], expects: [], signal },
        { Authorization },
      );
      response.body.resume();
      if (response.status !== 200) throw new LoginFailed(`${this.endpoint.base}/v2/`, response.status);
      return '';
    }
    const token = await fetchToken(this.#transport, challenge, {
      ...this.#tokenOptions(signal),
      scopes: challenge.scope?.split(' ') ?? [],
      offline: true,
    });
    return token.refreshToken ?? '';
  }

  #send(
    { at, ...request }: SessionRequest,
    authorization: Record<string, string>,
  ): Promise<IncomingResponse> {
    const url = new URL(at, `${this.endpoint.base}/`);
    const isOurs = url.origin === new URL(this.endpoint.base).origin;
    return this.#transport.send({
      method: request.method,
      url,
      // A registry may have its uploads go elsewhere: not with our password.
      headers: { ...request.headers, ...(isOurs && authorization) },
      ...(request.body && { body: request.body() }),
      ...(request.bodyBytes !== undefined && { bodyBytes: request.bodyBytes }),
      verify: this.endpoint.verify,
      signal: request.signal,
    });
  }

  async #authorization({ scopes, signal, method, at }: SessionRequest): Promise<Record<string, string>> {
    const challenge = this.#challenge;
    const { credentials } = this;
    if (credentials.registryToken) return { Authorization: `Bearer ${credentials.registryToken}` };
    if (challenge === null) return {};
    if (challenge.scheme === 'basic') {
      if (credentials.username) return { Authorization: basic(credentials) };
      throw this.#noBasic({ method, at });
    }
    const key = keyOf(scopes);
    const known = await this.#tokens.get(key)?.catch(() => undefined);
    // Not one that runs out on the way.
    if (known && known.expiresAt > Date.now() + 10_000) return bearer(known);
    const fresh = fetchToken(this.#transport, challenge, { ...this.#tokenOptions(signal), scopes });
    this.#tokens.set(key, fresh);
    return bearer(await fresh);
  }

  /** No 401: clients would ask for a password, on whatever they have for a terminal. */
  #noBasic({ method, at }: Pick<SessionRequest, 'method' | 'at'>, more = ''): Internal {
    const verb = method[0] + method.slice(1).toLowerCase();
    const url = new URL(at, this.endpoint.base).href.split('?')[0];
    return new Internal(`${verb} "${url}": no basic auth credentials${more}`);
  }

  #tokenOptions(signal: AbortSignal) {
    return { credentials: this.credentials, verify: this.endpoint.verify, signal };
  }
}

/** Credentials that a registry without a token service does not know. */
export class LoginFailed extends Unauthorized {
  constructor(url: string, status: number) {
    super(`login attempt to ${url} failed with status: ${status} ${STATUS_CODES[status] ?? ''}`.trim());
  }
}

/**
 * The first endpoint that answers. Throws what the last one gave.
 *
 * @param use called with each endpoint that answers; what it throws has the next one tried after a mirror
 */
export async function withEndpoints<T>(
  sessions: Iterable<RegistrySession>,
  signal: AbortSignal,
  use: (session: RegistrySession) => Promise<T>,
): Promise<T> {
  let last: unknown = new Unreachable('no registry to ask');
  for (const session of sessions) {
    let isThere = false;
    try {
      await session.connect(signal);
      isThere = true;
      return await use(session);
    } catch (error) {
      last = error;
      if (signal.aborted) throw error;
      if (isThere && !session.endpoint.isMirror) throw error;
    }
  }
  throw last;
}

function bearer({ value }: Token): Record<string, string> {
  return { Authorization: `Bearer ${value}` };
}

function keyOf(scopes: readonly string[]): string {
  return [...scopes].sort().join(' ');
}
