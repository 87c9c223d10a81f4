import { officialDomain, registryHostOf } from '../reference.ts';

/** Where the repositories of a domain may be found. */
export interface Endpoint {
  /** `https://host:port`, without a path. */
  readonly base: string;
  /** Whether its certificate must be that of the host. */
  readonly verify: boolean;
  /** A mirror gets no credentials, and when it fails the next one is asked. */
  readonly isMirror: boolean;
}

/**
 * In the order in which they are to be tried. A registry that may be insecure is asked by TLS first, then
 * without.
 */
export function endpointsOf(
  domain: string,
  options: { readonly insecure: boolean; readonly mirrors: readonly string[] },
): Endpoint[] {
  const mirrors = domain === officialDomain ? options.mirrors : [];
  const host = registryHostOf(domain);
  const schemes = options.insecure ? ['https', 'http'] : ['https'];
  return [
    ...mirrors.map((url) => ({ base: url.replace(/\/+$/, ''), verify: true, isMirror: true })),
    ...schemes.map((scheme) => ({
      base: `${scheme}://${host}`,
      verify: !options.insecure,
      isMirror: false,
    })),
  ];
}
