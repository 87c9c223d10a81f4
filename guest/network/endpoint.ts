import type { NetworkDriver } from './network.ts';
import type { PublishedPort } from './ports.ts';

/** A running container's place in one network; there is none for a stopped container. */
export interface EndpointRecord {
  readonly endpointId: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly networkDriver: NetworkDriver;
  readonly containerId: string;
  readonly containerName: string;
  /** Position among the container's endpoints; 0 carries the default route and the published ports. */
  readonly position: number;
  /** Null in `none` and `host`. */
  readonly link: EndpointLink | null;
  readonly aliases: readonly string[] | null;
  /** Names under which the embedded DNS server knows it; null where there is none. */
  readonly dnsNames: readonly string[] | null;
  /** Where the embedded DNS server asks for what it does not know. */
  readonly nameservers: readonly string[];
  /** As asked for, to be shown. */
  readonly ipamConfig: object | null;
  readonly driverOpts: Readonly<Record<string, string>> | null;
  readonly ports: readonly PublishedPort[];
  /** Shown as published nowhere: `80/tcp`. */
  readonly exposedPorts: readonly string[];
}

/** One veth pair. */
export interface EndpointLink {
  /** The end in the host, a bridge's port. */
  readonly hostName: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly macAddress: string;
}
