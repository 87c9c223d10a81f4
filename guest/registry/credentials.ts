import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod';

/** Who a registry is talked to as. Never in logs. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** From an earlier login: proves who one is in place of a password. */
  readonly identityToken?: string;
  /** A token of the registry itself, used as it is. */
  readonly registryToken?: string;
}

/** `AuthConfig` of the Engine API. */
export const authConfig = z.looseObject({
  username: z.string().nullish(),
  password: z.string().nullish(),
  auth: z.string().nullish(),
  serveraddress: z.string().nullish(),
  identitytoken: z.string().nullish(),
  registrytoken: z.string().nullish(),
});

/** The header `X-Registry-Auth`: base64url of JSON. One that cannot be read is none, as with dockerd. */
export function credentialsOf(headers: IncomingHttpHeaders): Credentials {
  const header = headers['x-registry-auth'];
  if (typeof header !== 'string') return {};
  try {
    return toCredentials(authConfig.parse(JSON.parse(Buffer.from(header, 'base64').toString('utf8'))));
  } catch {
    return {};
  }
}

export function toCredentials(config: z.infer<typeof authConfig>): Credentials {
  const [user, ...rest] = config.auth ? Buffer.from(config.auth, 'base64').toString().split(':') : [];
  const username = config.username || user;
  const password = config.password || rest.join(':');
  return {
    ...(username && { username }),
    ...(password && { password }),
    ...(config.identitytoken && { identityToken: config.identitytoken }),
    ...(config.registrytoken && { registryToken: config.registrytoken }),
  };
}

export function basic({ username = '', password = '' }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
