import { isIP } from 'node:net';
import { InvalidParameter } from '../../errors.ts';
import { isLoopback, parseAddress } from '../../ip.ts';

/** What resolv.conf(5) says, as far as containers are concerned. */
export interface ResolverSettings {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export function parseResolvConf(text: string): ResolverSettings {
  const servers: string[] = [];
  let search: readonly string[] = [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) servers.push(words[0]);
    // The last of several `search` and `domain` lines wins.
    else if (keyword === 'search' || keyword === 'domain') search = words;
    else if (keyword === 'options') options.push(...words);
  }
  return { servers, search, options };
}

/** The settings of a container with a network of its own: what the user asked for over what the host has. */
export function containerResolver(
  host: ResolverSettings,
  asked: ResolverSettings,
  fallback: readonly string[],
): ResolverSettings {
  for (const server of asked.servers) {
    if (isIP(server) === 0) throw new InvalidParameter(`invalid IP address in dns: "${server}"`);
  }
  for (const word of [...asked.search, ...asked.options]) {
    if (/\s/.test(word) || word === '') throw new InvalidParameter(`invalid dns search or option: "${word}"`);
  }
  const reachable = host.servers.filter(isReachable);
  const servers = asked.servers.length > 0 ? asked.servers : reachable.length > 0 ? reachable : fallback;
  // A lone dot means: no search list (docker run --dns-search).
  const search = asked.search.length > 0 ? asked.search.filter((domain) => domain !== '.') : host.search;
  return { servers, search, options: asked.options.length > 0 ? asked.options : host.options };
}

export function renderResolvConf({ servers, search, options }: ResolverSettings): string {
  const lines = servers.map((server) => `nameserver ${server}`);
  if (search.length > 0) lines.push(`search ${search.join(' ')}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** A server on the host's loopback, or behind IPv6, cannot be reached from a container's IPv4 network. */
function isReachable(server: string): boolean {
  const address = parseAddress(server);
  return address?.family === 4 && !isLoopback(address);
}
