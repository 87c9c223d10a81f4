import { familyOf } from '../../ip.ts';
import { addressOf } from '../endpoint.ts';
import type { SandboxRequest } from '../network-manager.ts';
import type { NetworkRecords } from '../network-records.ts';
import type { Gateways } from '../sandbox/gateways.ts';
import { hostHasIpv6 } from './port-socket.ts';
import { type ContainerPort, type PortRequest, portRequests } from './ports.ts';

/**
 * What a container publishes by way of the networks that lead it out: nothing, when none does. Where a
 * network routes, its ports are wanted, but none of the host's is taken for them.
 */
export function wishedPorts(
  request: SandboxRequest,
  gateways: Gateways,
  records: NetworkRecords,
  { forwarded }: { readonly forwarded: boolean },
): { readonly requests: readonly PortRequest[]; readonly wanted: readonly ContainerPort[] } {
  const primary = gateways[4] ?? gateways[6];
  const bridge = primary && records.network(primary.networkId).bridge;
  if (!bridge) return { requests: [], wanted: [] };
  const bind = bridge.defaultBindAddress;
  const requests = portRequests({
    bindings: request.portBindings,
    exposed: request.exposedPorts,
    publishAll: request.publishAllPorts,
    defaultAddresses: bind ? [bind] : forwarded ? ['0.0.0.0'] : everywhere(),
    forwarded: forwarded && !bind,
  });
  const routed = ([4, 6] as const).filter((family) => {
    const endpoint = gateways[family];
    return endpoint && addressOf(endpoint, family)?.publishing === 'routed';
  });
  const wanted = new Map(
    requests.map(({ containerPort, protocol }) => [
      `${containerPort}/${protocol}`,
      { containerPort, protocol },
    ]),
  );
  return {
    requests: requests
      .map((port) => ({
        ...port,
        hostAddresses: port.hostAddresses.filter((address) => !routed.includes(familyOf(address))),
      }))
      .filter(({ hostAddresses }) => hostAddresses.length > 0),
    wanted: [...wanted.values()],
  };
}

function everywhere(): string[] {
  return hostHasIpv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'];
}
