import type { NetworkRequest } from '../../guest/network/definition/network-request.ts';

/** As `docker network create` does, with what a test needs. */
export function networkNamed(name: string, more: Partial<NetworkRequest> = {}): NetworkRequest {
  return {
    name,
    driver: 'bridge',
    internal: false,
    attachable: false,
    labels: {},
    options: {},
    enableIpv4: true,
    enableIpv6: false,
    addressing: [],
    ...more,
  };
}
