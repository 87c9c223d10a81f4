import type { EndpointLink, EndpointRecord } from '../../../guest/network/endpoint.ts';

/** A container's endpoint in a bridge network, with what a test needs. */
export function endpointOf(
  { container, network }: { readonly container: string; readonly network: string },
  ways: Pick<EndpointLink, 'ipv4' | 'ipv6'>,
  more: Partial<EndpointRecord> = {},
): EndpointRecord {
  return {
    endpointId: `${container}-${network}`,
    networkId: network,
    networkName: network,
    networkDriver: 'bridge',
    containerId: container,
    containerName: `/${container}`,
    position: 0,
    link: {
      kind: 'pair',
      hostName: 'v',
      interfaceName: 'eth0',
      macAddress: '',
      routedByParent: false,
      ...ways,
    },
    asked: {},
    dnsNames: null,
    ...more,
  };
}
