import * as z from 'zod';
import type { Challenge } from './challenge.ts';
import { basic, type Credentials } from './credentials.ts';
import { refusalOf, Unreachable } from './errors.ts';
import { readLimited } from './read-limited.ts';
import type { Transport } from './transport.ts';

export interface Token {
  readonly value: string;
  readonly expiresAt: number;
  /** For a login: to be kept by the client in place of the password. */
  readonly refreshToken?: string | undefined;
}

const schema = z.looseObject({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  refresh_token: z.string().nullish(),
  expires_in: z.number().nullish(),
});

const maxBytes = 1024 * 1024;
/** Distribution spec, "token": what a token without a term lasts. */
const defaultSeconds = 60;
const clientId = 'machine';

/**
 * Asks the token service of a challenge (distribution spec, "token" and "oauth"). Throws Refused when it does
 * not know the credentials, and Unreachable.
 */
export async function fetchToken(
  transport: Transport,
  challenge: Challenge & { readonly scheme: 'bearer' },
  options: {
    readonly scopes: readonly string[];
    readonly credentials: Credentials;
    readonly verify: boolean;
    /** Asks for a refresh token too. */
    readonly offline?: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Token> {
  const { credentials, scopes, verify, signal } = options;
  const realm = realmOf(challenge.realm, verify);
  const service = challenge.service ?? '';
  const response = credentials.identityToken
    ? await transport.send({
        method: 'POST',
        url: realm,
        verify,
        signal,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: Buffer.from(
          new URLSearchParams({
            grant_type: 'refresh_token',
            service,
            client_id: clientId,
            refresh_token: credentials.identityToken,
            scope: scopes.join(' '),
          }).toString(),
        ),
      })
    : await transport.send({
        method: 'GET',
        url: withQuery(realm, [
          ...(service ? [['service', service] as const] : []),
          ...scopes.map((scope) => ['scope', scope] as const),
          ...(credentials.username ? [['account', credentials.username] as const] : []),
          ...(options.offline ? [['offline_token', 'true'] as const, ['client_id', clientId] as const] : []),
        ]),
        verify,
        signal,
        headers: credentials.username ? { Authorization: basic(credentials) } : {},
      });
  const body = await readLimited(response.body, maxBytes, 'the answer of the token service');
  if (response.status !== 200) throw refusalOf(response.status, body.toString());
  return read(body);
}

function read(body: Buffer): Token {
  let parsed: z.infer<typeof schema>;
  try {
    parsed = schema.parse(JSON.parse(body.toString()));
  } catch (cause) {
    throw new Unreachable('the token service gave no token', { cause });
  }
  const value = parsed.token || parsed.access_token;
  // It goes into a header.
  if (!value || /[^\x21-\x7e]/.test(value)) throw new Unreachable('the token service gave no token');
  const seconds = Math.max(parsed.expires_in ?? defaultSeconds, defaultSeconds);
  return { value, expiresAt: Date.now() + seconds * 1000, refreshToken: parsed.refresh_token ?? undefined };
}

/** A password is not sent in the clear because a registry says so that is itself behind TLS. */
function realmOf(realm: string, verify: boolean): URL {
  const url = URL.canParse(realm) ? new URL(realm) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Unreachable(`the registry names no usable token service ("${realm.slice(0, 200)}")`);
  if (verify && url.protocol !== 'https:')
    throw new Unreachable(`the registry names a token service without TLS ("${url.origin}")`);
  return url;
}

function withQuery(url: URL, pairs: readonly (readonly [string, string])[]): URL {
  const made = new URL(url);
  for (const [name, value] of pairs) made.searchParams.append(name, value);
  return made;
}
