import type { EndpointAddress, EndpointLink, EndpointRecord, SandboxRecord } from '../endpoint.ts';
import type { EndpointSettings, SandboxSettings } from '../network-manager.ts';
import { portMap } from '../ports/ports.ts';

/** Inspect's view of a container's endpoints. */
export function sandboxSettings(
  sandbox: SandboxRecord | null,
  endpoints: readonly EndpointRecord[],
): SandboxSettings {
  return {
    ports: portMap(sandbox?.ports ?? [], sandbox?.exposedPorts ?? []),
    networks: Object.fromEntries(
      endpoints.map((endpoint) => [endpoint.networkName, endpointSettings(endpoint)]),
    ),
  };
}

function endpointSettings({ asked, link, ...endpoint }: EndpointRecord): EndpointSettings {
  return {
    IPAMConfig: asked.IPAMConfig ?? null,
    Links: asked.Links ?? null,
    Aliases: asked.Aliases ?? null,
    DriverOpts: asked.DriverOpts ?? null,
    GwPriority: asked.GwPriority ?? 0,
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.endpointId,
    Gateway: gatewayOf(link, link?.ipv4),
    IPAddress: link?.ipv4?.address ?? '',
    MacAddress: link?.macAddress ?? '',
    IPPrefixLen: link?.ipv4?.prefixLength ?? 0,
    IPv6Gateway: gatewayOf(link, link?.ipv6),
    GlobalIPv6Address: link?.ipv6?.address ?? '',
    GlobalIPv6PrefixLen: link?.ipv6?.prefixLength ?? 0,
    DNSNames: endpoint.dnsNames,
  };
}

function gatewayOf(link: EndpointLink | null, given: EndpointAddress | null | undefined): string {
  return link?.routedByParent ? '' : (given?.gateway ?? '');
}
