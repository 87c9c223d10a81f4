import type { EndpointRecord } from './endpoint.ts';
import type { EndpointSettings, SandboxSettings } from './network-manager.ts';
import { portMap } from './ports.ts';

/** Inspect's view of a container's endpoints. */
export function sandboxSettings(endpoints: readonly EndpointRecord[]): SandboxSettings {
  const bridged = endpoints.filter((endpoint) => endpoint.link !== null);
  return {
    ports: portMap(
      bridged.flatMap((endpoint) => endpoint.ports),
      bridged.flatMap((endpoint) => endpoint.exposedPorts),
    ),
    networks: Object.fromEntries(
      endpoints.map((endpoint) => [endpoint.networkName, endpointSettings(endpoint)]),
    ),
  };
}

function endpointSettings(endpoint: EndpointRecord): EndpointSettings {
  const { link } = endpoint;
  return {
    IPAMConfig: endpoint.ipamConfig,
    Links: null,
    Aliases: endpoint.aliases,
    DriverOpts: endpoint.driverOpts,
    GwPriority: 0,
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.endpointId,
    Gateway: link?.gateway ?? '',
    IPAddress: link?.address ?? '',
    MacAddress: link?.macAddress ?? '',
    IPPrefixLen: link?.prefixLength ?? 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: endpoint.dnsNames,
  };
}
