import { familyOf } from '../addressing/ip.ts';
import { embeddedAddress, serverAddress } from '../dns/dns-server.ts';
import type { EndpointLink, EndpointRecord } from '../endpoint.ts';
import type { HostsEntry } from '../files/hosts-file.ts';
import type { ResolverSettings } from '../files/resolv-conf.ts';
import { embeddedResolver } from '../files/sandbox-files.ts';
import { hasEmbeddedDns, type NetworkRecord } from '../network.ts';
import type { SandboxRequest } from '../network-manager.ts';
import type { NetworkRecords } from '../network-records.ts';
import { chooseGateways, type Gateways } from './gateways.ts';

/** How a sandbox leads to the world and to name servers: what changes with each of its networks. */
export interface Outlook {
  readonly gateways: Gateways;
  /** Its network with a name server; null: it has none. */
  readonly resolving: NetworkRecord | null;
}

export function outlookOf(endpoints: readonly EndpointRecord[], records: NetworkRecords): Outlook {
  const resolving = endpoints
    .filter(({ dnsNames }) => dnsNames !== null)
    .map(({ networkId }) => records.network(networkId))
    .find(hasEmbeddedDns);
  return { gateways: chooseGateways(endpoints), resolving: resolving ?? null };
}

/** What stands in the container's resolv.conf. */
export function resolverOf({ resolving }: Outlook, upstream: ResolverSettings): ResolverSettings {
  if (!resolving) return upstream;
  const server = serverAddress(resolving);
  return embeddedResolver(upstream, familyOf(server) === 6 ? server : embeddedAddress);
}

/** The container's own lines in its hosts file. */
export function ownHosts({ hostname, domainname }: SandboxRequest, link: EndpointLink | null): HostsEntry[] {
  const name = domainname ? `${hostname}.${domainname}` : hostname;
  const names = [...new Set([name, name.split('.', 1)[0]!])];
  return [link?.ipv4, link?.ipv6].flatMap((given) => (given ? [{ address: given.address, names }] : []));
}
