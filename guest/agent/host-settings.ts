import type { HostSettings } from '../wire/index.ts';

/**
 * The host's proxies for a machine of its: one at the host's loopback is at `host` from here. What is no URL with a
 * loopback address stays as it is.
 */
export function proxiesFrom(
  proxies: HostSettings['proxies'],
  host: string | null,
): Readonly<Record<string, string>> {
  if (host === null) return proxies;
  return Object.fromEntries(
    Object.entries(proxies).map(([name, value]) => [name, name === 'NO_PROXY' ? value : moved(value, host)]),
  );
}

/** `127.0.0.1:3128` is a proxy too, as for Go's programs. */
function moved(proxy: string, host: string): string {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`);
  if (url === null || !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)) return proxy;
  url.hostname = host;
  return url.href.replace(/\/$/, '');
}
