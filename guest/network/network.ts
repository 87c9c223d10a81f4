/** A network as it is remembered; the kernel's state is derived from it. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly driver: NetworkDriver;
  readonly createdAt: string;
  /** Null for `host` and `null`, which have no addresses. */
  readonly bridge: BridgeSettings | null;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Driver options as given. */
  readonly options: Readonly<Record<string, string>>;
}

/** `null` is how Docker calls the driver of the network `none`. */
export const networkDrivers = ['bridge', 'host', 'null'] as const;
export type NetworkDriver = (typeof networkDrivers)[number];

export interface BridgeSettings {
  /** The link's name, at most 15 bytes. */
  readonly linkName: string;
  /** `172.17.0.0/16`. */
  readonly subnet: string;
  readonly gateway: string;
  /** Part of the subnet that addresses are taken from; the whole of it when null. */
  readonly range: string | null;
  /** Addresses that are never given, by name. */
  readonly auxiliary: Readonly<Record<string, string>>;
  readonly mtu: number | null;
  /** Containers of the network reach one another. */
  readonly interContainer: boolean;
  /** Traffic that leaves is hidden behind the host's address. */
  readonly masquerade: boolean;
  /** Address that ports are published at when none is asked for. */
  readonly defaultBindAddress: string;
}

/** Networks that are always there and cannot be removed. */
export const predefinedNetworks = ['bridge', 'host', 'none'] as const;

export function isPredefined(name: string): boolean {
  return (predefinedNetworks as readonly string[]).includes(name);
}

/** On the default bridge, as ever, containers know one another by address only. */
export function hasEmbeddedDns(network: NetworkRecord): boolean {
  return network.driver === 'bridge' && !isPredefined(network.name);
}
