import { randomBytes } from 'node:crypto';
import { Conflict } from '../../errors.ts';
import { addressOrThrow } from '../../ip.ts';
import type { Addresses } from '../addressing/addresses.ts';
import { linkLocalAddress } from '../addressing/link-local.ts';
import { checkedMac, macAddress } from '../addressing/mac-address.ts';
import type { EndpointLink } from '../endpoint.ts';
import { endpointOptions } from './endpoint-options.ts';
import type { Attachment } from './sandbox-plan.ts';

/**
 * Reserves addresses for a link and names it; `taken`: links that the container has. Throws InvalidParameter
 * for a wrong address, MAC or name, Conflict when one is taken; then nothing is reserved.
 */
export function reserveLink(
  addresses: Addresses,
  { network, asked }: Attachment,
  taken: readonly EndpointLink[],
): EndpointLink {
  const mac = asked.MacAddress ? checkedMac(asked.MacAddress) : null;
  const interfaceName = chooseName(
    endpointOptions(asked.DriverOpts).interfaceName,
    network.interfacePrefix,
    taken.map((link) => link.interfaceName),
  );
  const { IPv4Address, IPv6Address, LinkLocalIPs } = asked.IPAMConfig ?? {};
  const given = addresses.reserve(network, {
    ...(IPv4Address ? { 4: IPv4Address } : {}),
    ...(IPv6Address ? { 6: IPv6Address } : {}),
  });
  return {
    kind: network.bridge ? 'pair' : 'child',
    hostName: `veth${randomBytes(4).toString('hex').slice(0, 7)}`,
    interfaceName,
    routedByParent: network.parent?.mode.startsWith('l3') ?? false,
    macAddress:
      network.driver === 'ipvlan' ? '' : (mac ?? macAddress(given[4] && addressOrThrow(given[4].address))),
    ipv4: given[4],
    ipv6: given[6],
    linkLocal: (LinkLocalIPs ?? []).map(linkLocalAddress),
  };
}

/** The name asked for, or the prefix with the first free number. */
function chooseName(asked: string | null, prefix: string, taken: readonly string[]): string {
  if (asked !== null) {
    if (taken.includes(asked)) throw new Conflict(`interface name "${asked}" is in use in this container`);
    return asked;
  }
  let number = 0;
  while (taken.includes(`${prefix}${number}`)) number++;
  return `${prefix}${number}`;
}
