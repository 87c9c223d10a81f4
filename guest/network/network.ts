import type { Family } from '../ip.ts';

/** A network as it is remembered; the kernel's state is derived from it. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly driver: NetworkDriver;
  readonly createdAt: string;
  /** Null where the network has no such addresses: in `host` and `none`, or as it was asked for. */
  readonly ipv4: AddressPool | null;
  readonly ipv6: AddressPool | null;
  /** Null but for the driver `bridge`. */
  readonly bridge: BridgeSettings | null;
  /** Null but for the drivers `macvlan` and `ipvlan`. */
  readonly parent: ParentSettings | null;
  readonly mtu: number | null;
  /** What its links are called in a container, before their number. */
  readonly interfacePrefix: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Driver options as given. */
  readonly options: Readonly<Record<string, string>>;
}

/** `null` is how Docker calls the driver of the network `none`. */
export const networkDrivers = ['bridge', 'macvlan', 'ipvlan', 'host', 'null'] as const;
export type NetworkDriver = (typeof networkDrivers)[number];

export interface AddressPool {
  /** `172.17.0.0/16`. */
  readonly subnet: string;
  readonly gateway: string;
  /** Part of the subnet that addresses are taken from; the whole of it when null. */
  readonly range: string | null;
  /** Addresses that are never given, by name. */
  readonly auxiliary: Readonly<Record<string, string>>;
}

export interface BridgeSettings {
  /** The link's name, at most 15 bytes. */
  readonly linkName: string;
  /** The link was there before the network, and stays after it. */
  readonly foreign: boolean;
  /** Containers of the network reach one another. */
  readonly interContainer: boolean;
  /** Traffic that leaves is hidden behind the host's address. */
  readonly masquerade: boolean;
  /** Address that ports are published at when none is asked for; null: every address, of both kinds. */
  readonly defaultBindAddress: string | null;
  readonly gatewayMode: Readonly<Record<Family, GatewayMode>>;
}

/**
 * How the world reaches containers. `nat`: by published ports of the host; `nat-unprotected`: by any port of
 * the container's own address, too; `routed`: by the published ports, at the container's own address.
 */
export const gatewayModes = ['nat', 'nat-unprotected', 'routed'] as const;
export type GatewayMode = (typeof gatewayModes)[number];

/** A network whose containers are neighbours of the host on one of its links. */
export interface ParentSettings {
  /** The host's link; of a network without one, a dummy of ours. */
  readonly linkName: string;
  /** The link is made by us, and goes with the network: a dummy, or a VLAN of the link before the dot. */
  readonly own: 'dummy' | 'vlan' | null;
  /** As `ip link add … type macvlan mode` takes it: bridge, vepa, passthru, private; or l2, l3, l3s. */
  readonly mode: string;
  /** Of ipvlan: bridge, private or vepa. */
  readonly flag: string | null;
}

/** Networks that are always there and cannot be removed. */
export const predefinedNetworks = ['bridge', 'host', 'none'] as const;

export function isPredefined(name: string): boolean {
  return (predefinedNetworks as readonly string[]).includes(name);
}

/** Containers know one another by name; on the default bridge, as ever, by address only. */
export function hasNames(network: NetworkRecord): boolean {
  return hasEmbeddedDns(network) || hasParent(network);
}

/** A name server of ours is in reach of its containers. */
export function hasEmbeddedDns(network: NetworkRecord): boolean {
  return network.driver === 'bridge' && !isPredefined(network.name);
}

/** A network that has a bridge. */
export type BridgeNetwork = NetworkRecord & { readonly bridge: BridgeSettings };

/** A network on a link of the host. */
export type ParentNetwork = NetworkRecord & { readonly parent: ParentSettings };

/** A network that containers have links into. */
export type LinkedNetwork = BridgeNetwork | ParentNetwork;

export function hasLinks(network: NetworkRecord): network is LinkedNetwork {
  return network.bridge !== null || network.parent !== null;
}

export function hasParent(network: NetworkRecord): network is ParentNetwork {
  return network.parent !== null;
}

export function hasBridge(network: NetworkRecord): network is BridgeNetwork {
  return network.bridge !== null;
}

export function poolsOf({ ipv4, ipv6 }: NetworkRecord): AddressPool[] {
  return [ipv4, ipv6].filter((pool) => pool !== null);
}
