import type { Family } from '../addressing/ip.ts';
import type { EndpointLink } from '../endpoint.ts';
import type { AddressPool, BridgeNetwork, NetworkRecord } from '../network.ts';

/**
 * Scripts for `ip -batch` (ip(8)); pure. `addrgenmode none`: a link without an IPv6 address of its own says
 * nothing on the wire until its owner does.
 */

/**
 * Makes a network's bridge. Fails when the link is there. `macAddress`: a bridge without one of its own takes
 * the lowest of its ports', and whoever knew it by another loses it when ports come and go.
 */
export function bridgeCreation(network: BridgeNetwork, macAddress: string): string {
  const { linkName } = network.bridge;
  // An IPv6 address comes when the link's settings are made (bridge.ts).
  const { ipv4 } = network;
  const address = ipv4 ? `addr add ${ipv4.gateway}/${ipv4.subnet.split('/')[1]} brd + dev ${linkName}\n` : '';
  return `link add name ${linkName}${mtuOf(network)} address ${macAddress} type bridge
link set ${linkName} addrgenmode none
${address}link set ${linkName} up
`;
}

/** Idempotent. A router asks for its neighbours from a link-local address (net/ipv6/ndisc.c). */
export function bridgeAddressing6(linkName: string, { gateway, subnet }: AddressPool): string {
  const addresses = [`${gateway}/${subnet.split('/')[1]}`, 'fe80::1/64'];
  return addresses.map((address) => `addr replace ${address} dev ${linkName} nodad\n`).join('');
}

export function linkRemoval(linkName: string): string {
  return `link del ${linkName}\n`;
}

/**
 * Joins the namespace at `path` to a bridge. `hairpin`: where br_netfilter is loaded, a container's way to
 * its own published port turns round at its own bridge port.
 */
export function pairCreation(request: {
  readonly link: EndpointLink;
  readonly network: BridgeNetwork;
  readonly path: string;
}): string {
  const { link, network, path } = request;
  const { linkName, interContainer } = network.bridge;
  const mtu = mtuOf(network);
  const peer = `peer name ${link.interfaceName}${mtu} address ${link.macAddress} netns ${path}`;
  return `link add name ${link.hostName}${mtu} type veth ${peer}
link set ${link.hostName} addrgenmode none master ${linkName} up
link set ${link.hostName} type bridge_slave hairpin on${interContainer ? '' : ' isolated on'}
`;
}

/** Inside the namespace: brings loopback up. */
export const loopbackUp = 'link set lo up\n';

/** Inside the namespace: addresses the container's end. An address is good at once: nobody else has it. */
export function linkAddressing({ interfaceName, ipv4, ipv6 }: EndpointLink): string {
  const first = ipv4
    ? `addr add ${ipv4.address}/${ipv4.prefixLength}${ipv4.prefixLength < 31 ? ' brd +' : ''} dev ${interfaceName}\n`
    : '';
  const second = ipv6 ? `addr add ${ipv6.address}/${ipv6.prefixLength} dev ${interfaceName} nodad\n` : '';
  const quiet = ipv6 ? '' : `link set ${interfaceName} addrgenmode none\n`;
  return `${quiet}${first}${second}link set ${interfaceName} up\n`;
}

/** Inside the namespace: the way out of a family, instead of what was there before. */
export function defaultRoute(link: EndpointLink | null, family: Family): string {
  const gateway = (family === 4 ? link?.ipv4 : link?.ipv6)?.gateway;
  if (!link || !gateway) return '';
  return `route replace default via ${gateway} dev ${link.interfaceName}\n`;
}

function mtuOf({ mtu }: NetworkRecord): string {
  return mtu === null ? '' : ` mtu ${mtu}`;
}
