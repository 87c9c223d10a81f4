import type { EndpointAddress, EndpointRecord } from '../network/endpoint.ts';
import {
  type AddressPool,
  type BridgeNetwork,
  hasBridge,
  isPredefined,
  type NetworkRecord,
  poolsOf,
} from '../network/network.ts';

/** The wire shape of a network and of who is in it. */
export function networkView(network: NetworkRecord, endpoints: readonly EndpointRecord[]) {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    // `host` and `none` say so, though they have no addresses of their own.
    EnableIPv4: network.ipv4 !== null || isPredefined(network.name),
    EnableIPv6: network.ipv6 !== null,
    IPAM: { Driver: 'default', Options: null, Config: poolsOf(network).map(addressing) },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(endpoints.map((endpoint) => [endpoint.containerId, member(endpoint)])),
    Options:
      hasBridge(network) && isPredefined(network.name) ? defaultBridgeOptions(network) : network.options,
    Labels: network.labels,
  };
}

function addressing({ subnet, gateway, range, auxiliary }: AddressPool) {
  return {
    Subnet: subnet,
    ...(range === null ? {} : { IPRange: range }),
    Gateway: gateway,
    ...(Object.keys(auxiliary).length > 0 ? { AuxiliaryAddresses: auxiliary } : {}),
  };
}

function member({ containerName, endpointId, link }: EndpointRecord) {
  return {
    Name: containerName.replace(/^\//, ''),
    EndpointID: endpointId,
    MacAddress: link?.macAddress ?? '',
    IPv4Address: withPrefix(link?.ipv4 ?? null),
    IPv6Address: withPrefix(link?.ipv6 ?? null),
  };
}

function withPrefix(given: EndpointAddress | null): string {
  return given ? `${given.address}/${given.prefixLength}` : '';
}

function defaultBridgeOptions({ bridge, mtu }: BridgeNetwork) {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': String(bridge.interContainer),
    'com.docker.network.bridge.enable_ip_masquerade': String(bridge.masquerade),
    'com.docker.network.bridge.host_binding_ipv4': bridge.defaultBindAddress ?? '0.0.0.0',
    'com.docker.network.bridge.name': bridge.linkName,
    'com.docker.network.driver.mtu': String(mtu ?? 1500),
  };
}
