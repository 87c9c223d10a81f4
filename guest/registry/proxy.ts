import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * The proxy for a URL, or null. The rules are those of Go's programs, which users of Docker know: HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY in capitals or not; never for the computer itself; NO_PROXY lists domains (with
 * all below them), `.domain` (only what is below), addresses, CIDRs, any of them with a port, or `*`.
 */
export function proxyFor(url: URL, env: Readonly<Record<string, string | undefined>>): string | null {
  const read = (name: string) => env[name] || env[name.toLowerCase()] || '';
  const proxy = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === '') return null;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || isLoopback(host)) return null;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const exceptions = read('NO_PROXY')
    .split(',')
    .map((word) => word.trim().toLowerCase());
  if (exceptions.some((word) => word !== '' && matches(word, host, port))) return null;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function matches(word: string, host: string, port: string): boolean {
  if (word === '*') return true;
  if (word.includes('/')) return inRange(host, word);
  const { name, wantedPort } = splitPort(word);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const bare = name.replace(/^\*\./, '.');
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`);
}

function splitPort(word: string): { name: string; wantedPort: string | undefined } {
  const bracketed = /^\[(?<name>.*)\](?::(?<port>\d+))?$/.exec(word)?.groups;
  if (bracketed) return { name: bracketed.name!, wantedPort: bracketed.port };
  const plain = isIP(word) ? null : /^(?<name>.*):(?<port>\d+)$/.exec(word)?.groups;
  return { name: plain?.name ?? word, wantedPort: plain?.port };
}

function inRange(host: string, range: string): boolean {
  const [address = '', prefix] = range.split('/');
  if (!isIP(host) || !isIP(address) || isIPv4(host) !== isIPv4(address)) return false;
  const list = new BlockList();
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const bits = Number(prefix);
  if (!(bits >= 0 && bits <= (family === 'ipv4' ? 32 : 128))) return false;
  list.addSubnet(address, bits, family);
  return list.check(host, family);
}

function isLoopback(host: string): boolean {
  return inRange(host, '127.0.0.0/8') || host === '::1';
}
