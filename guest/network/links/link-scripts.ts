import type { Family } from '../../ip.ts';
import type { EndpointLink } from '../endpoint.ts';
import type {
  AddressPool,
  BridgeNetwork,
  LinkedNetwork,
  NetworkRecord,
  ParentNetwork,
  ParentSettings,
} from '../network.ts';
import { hasBridge } from '../network.ts';

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
  return `link add name ${linkName}${mtuOf(network)} address ${macAddress} type bridge
link set ${linkName} addrgenmode none
${bridgeAddressing(network)}link set ${linkName} up
`;
}

/** Idempotent. IPv6 comes when the link's settings are made (bridge.ts). */
export function bridgeAddressing({ ipv4, bridge }: BridgeNetwork): string {
  if (!ipv4) return '';
  return `addr replace ${ipv4.gateway}/${ipv4.subnet.split('/')[1]} brd + dev ${bridge.linkName}\n`;
}

/** Makes the link that a network hangs on: a dummy that leads nowhere, or a VLAN by its number after the dot. */
export function parentCreation({ linkName, own }: ParentSettings): string {
  const dot = linkName.lastIndexOf('.');
  const kind =
    own === 'dummy'
      ? `name ${linkName} type dummy`
      : `link ${linkName.slice(0, dot)} name ${linkName} type vlan id ${Number(linkName.slice(dot + 1))}`;
  return `link add ${kind}\nlink set ${linkName} up\n`;
}

/** Idempotent. A router asks for its neighbours from a link-local address (net/ipv6/ndisc.c). */
export function bridgeAddressing6(linkName: string, { gateway, subnet }: AddressPool): string {
  const addresses = [`${gateway}/${subnet.split('/')[1]}`, 'fe80::1/64'];
  return addresses.map((address) => `addr replace ${address} dev ${linkName} nodad\n`).join('');
}

export function linkRemoval(linkName: string): string {
  return `link del ${linkName}\n`;
}

interface LinkRequest<Network = LinkedNetwork> {
  readonly link: EndpointLink;
  readonly network: Network;
  readonly path: string;
}

/** Joins the namespace at `path` to a network. */
export function linkCreation({ network, ...request }: LinkRequest): string {
  return hasBridge(network) ? pairCreation({ network, ...request }) : childCreation({ network, ...request });
}

/**
 * A link on a parent of the host's, inside the namespace at once. Its name in the container may be that of
 * another link here, which the kernel takes for the same; so it gets it there.
 */
function childCreation({ link, network, path }: LinkRequest<ParentNetwork>): string {
  const { linkName, mode, flag } = network.parent;
  const address = link.macAddress === '' ? '' : ` address ${link.macAddress}`;
  const name = `name ${link.hostName}${mtuOf(network)}${address} netns ${path}`;
  return `link add link ${linkName} ${name} type ${network.driver} mode ${mode}${flag === null ? '' : ` ${flag}`}\n`;
}

/**
 * Joins the namespace at `path` to a bridge. `hairpin`: where br_netfilter is loaded, a container's way to
 * its own published port turns round at its own bridge port.
 */
function pairCreation({ link, network, path }: LinkRequest<BridgeNetwork>): string {
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
export function linkAddressing({ interfaceName, ipv4, ipv6, linkLocal = [] }: EndpointLink): string {
  const first = ipv4
    ? `addr add ${ipv4.address}/${ipv4.prefixLength}${ipv4.prefixLength < 31 ? ' brd +' : ''} dev ${interfaceName}\n`
    : '';
  const second = ipv6 ? `addr add ${ipv6.address}/${ipv6.prefixLength} dev ${interfaceName} nodad\n` : '';
  const more = linkLocal.map((address) => `addr add ${address} dev ${interfaceName}\n`).join('');
  const quiet = ipv6 ? '' : `link set ${interfaceName} addrgenmode none\n`;
  return `${quiet}${first}${second}${more}link set ${interfaceName} up\n`;
}

/** Inside the namespace: the way out of a family, instead of what was there before. */
export function defaultRoute(link: EndpointLink | null, family: Family): string {
  const gateway = (family === 4 ? link?.ipv4 : link?.ipv6)?.gateway;
  if (!link || !gateway) return '';
  // In ipvlan's l3 modes the parent routes, and nobody answers for a gateway.
  const how = link.routedByParent ? `${family === 4 ? '0.0.0.0' : '::'}/0` : `default via ${gateway}`;
  return `route replace ${how} dev ${link.interfaceName}\n`;
}

function mtuOf({ mtu }: NetworkRecord): string {
  return mtu === null ? '' : ` mtu ${mtu}`;
}
