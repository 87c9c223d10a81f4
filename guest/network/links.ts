import type { EndpointLink } from './endpoint.ts';
import type { BridgeSettings } from './network.ts';

/**
 * Scripts for `ip -batch` (ip(8)); pure. `addrgenmode none`: a link without an IPv6 address of its own says
 * nothing on the wire until its owner does.
 */

/** Makes a network's bridge. Fails when the link is there. */
export function bridgeCreation(bridge: BridgeSettings): string {
  const mtu = bridge.mtu === null ? '' : ` mtu ${bridge.mtu}`;
  const prefixLength = bridge.subnet.split('/')[1];
  return `link add name ${bridge.linkName}${mtu} type bridge
link set ${bridge.linkName} addrgenmode none
addr add ${bridge.gateway}/${prefixLength} brd + dev ${bridge.linkName}
link set ${bridge.linkName} up
`;
}

export function linkRemoval(linkName: string): string {
  return `link del ${linkName}\n`;
}

/**
 * Joins the namespace at `path` to a bridge; its end is called `eth<position>` there. `hairpin`: where
 * br_netfilter is loaded, a container's way to its own published port turns round at its own bridge port.
 */
export function pairCreation(request: {
  readonly link: EndpointLink;
  readonly bridge: BridgeSettings;
  readonly position: number;
  readonly path: string;
}): string {
  const { link, bridge, position, path } = request;
  const mtu = bridge.mtu === null ? '' : ` mtu ${bridge.mtu}`;
  const peer = `peer name eth${position}${mtu} address ${link.macAddress} netns ${path}`;
  return `link add name ${link.hostName}${mtu} type veth ${peer}
link set ${link.hostName} addrgenmode none master ${bridge.linkName} up
link set ${link.hostName} type bridge_slave hairpin on${bridge.interContainer ? '' : ' isolated on'}
`;
}

/** Inside the namespace: brings loopback up. */
export const loopbackUp = 'link set lo up\n';

/** Inside the namespace: addresses the container's end. */
export function pairAddressing(request: {
  readonly link: EndpointLink;
  readonly position: number;
  readonly defaultRoute: boolean;
}): string {
  const { link, position, defaultRoute } = request;
  const device = `eth${position}`;
  const route = defaultRoute ? `route add default via ${link.gateway} dev ${device}\n` : '';
  return `link set ${device} addrgenmode none
addr add ${link.address}/${link.prefixLength} brd + dev ${device}
link set ${device} up
${route}`;
}
