import { BlockList, isIP, isIPv4 } from 'node:net';

/** Registries on the same computer may lack TLS, as with dockerd. */
export const alwaysInsecure: readonly string[] = ['::1/128', '127.0.0.0/8'];

/**
 * Whether a registry may be talked to without TLS, or with a certificate that nobody vouches for.
 *
 * @param domain such as `example.com:5000`
 * @param wished names (with their port) and CIDRs of addresses
 * @param addressesOf what a host name resolves to
 */
export async function isInsecure(
  domain: string,
  wished: readonly string[],
  addressesOf: (host: string) => Promise<readonly string[]>,
): Promise<boolean> {
  if (wished.includes(domain)) return true;
  const host = domain.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (host === 'localhost') return true;
  if (host === 'docker.io') return false;
  const wishedRanges = wished.filter((name) => /^[\da-fA-F.:]+\/\d{1,3}$/.test(name));
  const ranges = new BlockList();
  for (const range of [...alwaysInsecure, ...wishedRanges]) {
    const [address, prefix] = range.split('/') as [string, string];
    if (!isIP(address) || Number(prefix) > (isIPv4(address) ? 32 : 128)) continue;
    ranges.addSubnet(address, Number(prefix), familyOf(address));
  }
  if (isIP(host)) return ranges.check(host, familyOf(host));
  const addresses = await addressesOf(host).catch(() => []);
  return addresses.some((address) => ranges.check(address, familyOf(address)));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
