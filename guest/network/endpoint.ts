import type { Family } from '../ip.ts';
import type { NetworkDriver } from './network.ts';
import type { EndpointRequest } from './network-manager.ts';
import type { ContainerPort, PublishedPort } from './ports/ports.ts';

/** A running container's place in one network; there is none for a stopped container. */
export interface EndpointRecord {
  readonly endpointId: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly networkDriver: NetworkDriver;
  readonly containerId: string;
  readonly containerName: string;
  /** Order in which the container was connected. */
  readonly position: number;
  /** Null in `none` and `host`. */
  readonly link: EndpointLink | null;
  /** As asked for: to be shown, and for links and the choice of a gateway. */
  readonly asked: EndpointRequest;
  /** Names under which its neighbours know it; null in networks where they know addresses only. */
  readonly dnsNames: readonly string[] | null;
}

/** What a running container has once, whatever its networks. */
export interface SandboxRecord {
  readonly containerId: string;
  /** Of its `hosts` and `resolv.conf`. */
  readonly directory: string;
  readonly ports: readonly PublishedPort[];
  /** Those that were asked to be published: where a network routes, they are reached as they are. */
  readonly wantedPorts: readonly ContainerPort[];
  /** Shown as published nowhere: `80/tcp`. */
  readonly exposedPorts: readonly string[];
  /** Where the embedded DNS server asks for what it does not know. */
  readonly nameservers: readonly string[];
}

/** A container's end of its way into a network. */
export interface EndpointLink {
  /** One veth pair, or a link on a parent. */
  readonly kind: 'pair' | 'child';
  /** A pair's end in the host, a bridge's port; a child's name until it is in the container. */
  readonly hostName: string;
  /** The container's end, such as `eth0`. */
  readonly interfaceName: string;
  /** Empty where it is the parent's (ipvlan). */
  readonly macAddress: string;
  /** The world is on the link itself: ipvlan in its l3 modes. */
  readonly routedByParent: boolean;
  readonly ipv4: EndpointAddress | null;
  readonly ipv6: EndpointAddress | null;
  /** More addresses, `169.254.8.8/16`, which lead nowhere else. Records of earlier versions have none. */
  readonly linkLocal?: readonly string[];
}

export interface EndpointAddress {
  readonly address: string;
  readonly prefixLength: number;
  /** Null when the network has no way out. */
  readonly gateway: string | null;
  /** Published ports are the host's, or this address's own (gateway mode `routed`); or there are none. */
  readonly publishing: 'nat' | 'routed' | 'none';
}

/** An endpoint's address of a family. */
export function addressOf({ link }: EndpointRecord, family: Family): EndpointAddress | null {
  return (family === 4 ? link?.ipv4 : link?.ipv6) ?? null;
}
