import type { EndpointRecord } from '../network/endpoint.ts';
import { type BridgeSettings, isPredefined, type NetworkRecord } from '../network/network.ts';

/** The wire shape of a network and of who is in it. */
export function networkView(network: NetworkRecord, endpoints: readonly EndpointRecord[]) {
  const { bridge } = network;
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: bridge ? [addressing(bridge)] : [] },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(endpoints.map((endpoint) => [endpoint.containerId, member(endpoint)])),
    Options: bridge && isPredefined(network.name) ? defaultBridgeOptions(bridge) : network.options,
    Labels: network.labels,
  };
}

function addressing({ subnet, gateway, range, auxiliary }: BridgeSettings) {
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
    IPv4Address: link ? `${link.address}/${link.prefixLength}` : '',
    IPv6Address: '',
  };
}

function defaultBridgeOptions(bridge: BridgeSettings) {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': String(bridge.interContainer),
    'com.docker.network.bridge.enable_ip_masquerade': String(bridge.masquerade),
    'com.docker.network.bridge.host_binding_ipv4': bridge.defaultBindAddress,
    'com.docker.network.bridge.name': bridge.linkName,
    'com.docker.network.driver.mtu': String(bridge.mtu ?? 1500),
  };
}
