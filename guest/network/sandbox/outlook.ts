import { familyOf } from '../../ip.ts';
import { embeddedAddress, serverAddress } from '../dns/dns-server.ts';
import type { ResolverPlace } from '../dns/machine-resolver.ts';
import type { EndpointLink, EndpointRecord } from '../endpoint.ts';
import type { HostsEntry } from '../files/hosts-file.ts';
import type { ResolverSettings } from '../files/resolv-conf.ts';
import { embeddedResolver } from '../files/sandbox-files.ts';
import { hasEmbeddedDns, type NetworkDriver, type NetworkRecord } from '../network.ts';
import type { SandboxRequest } from '../network-manager.ts';
import type { NetworkRecords } from '../network-records.ts';
import { chooseGateways, type Gateways } from './gateways.ts';

/** How a sandbox leads to the world and to name servers: what changes with each of its networks. */
export interface Outlook {
  readonly gateways: Gateways;
  /** Its network with a name server; null: it has none. */
  readonly resolving: NetworkRecord | null;
  /** It has networks on links of this machine only, by which nobody reaches the machine itself. */
  readonly beside: boolean;
}

export function outlookOf(endpoints: readonly EndpointRecord[], records: NetworkRecords): Outlook {
  const resolving = endpoints
    .filter(({ dnsNames }) => dnsNames !== null)
    .map(({ networkId }) => records.network(networkId))
    .find(hasEmbeddedDns);
  const beside = endpoints.length > 0 && endpoints.every(({ networkDriver }) => isBeside(networkDriver));
  return { gateways: chooseGateways(endpoints), resolving: resolving ?? null, beside };
}

/** What stands in the container's resolv.conf. @param place of the machine's own name server, if it has one */
export function resolverOf(
  { resolving, beside }: Outlook,
  upstream: ResolverSettings,
  place: ResolverPlace | null,
): ResolverSettings {
  if (!resolving) {
    if (place === null || !beside) return upstream;
    const servers = upstream.servers.map((server) => (server === place.address ? place.otherwise : server));
    return { ...upstream, servers };
  }
  const server = serverAddress(resolving);
  return embeddedResolver(upstream, familyOf(server) === 6 ? server : embeddedAddress);
}

function isBeside(driver: NetworkDriver): boolean {
  return driver === 'macvlan' || driver === 'ipvlan';
}

/** The container's own lines in its hosts file. */
export function ownHosts({ hostname, domainname }: SandboxRequest, link: EndpointLink | null): HostsEntry[] {
  const name = domainname ? `${hostname}.${domainname}` : hostname;
  const names = [...new Set([name, name.split('.', 1)[0]!])];
  return [link?.ipv4, link?.ipv6].flatMap((given) => (given ? [{ address: given.address, names }] : []));
}
