import { newId, shortId } from '../ids.ts';
import { hasEmbeddedDns, type NetworkRecord } from './network.ts';
import type { EndpointRequest, SandboxRequest } from './network-manager.ts';

/** What an endpoint's record says of the request, before there is a link or a port. */
export function describeEndpoint(
  request: SandboxRequest,
  { network, asked }: { readonly network: NetworkRecord; readonly asked: EndpointRequest },
  position: number,
) {
  return {
    endpointId: newId(),
    networkId: network.id,
    networkName: network.name,
    networkDriver: network.driver,
    containerId: request.containerId,
    containerName: request.containerName,
    position,
    aliases: asked.Aliases ?? null,
    dnsNames: hasEmbeddedDns(network) ? dnsNames(request, asked.Aliases ?? []) : null,
    ipamConfig: asked.IPAMConfig ?? null,
    driverOpts: asked.DriverOpts ?? null,
  };
}

function dnsNames(request: SandboxRequest, aliases: readonly string[]): string[] {
  const { containerName, containerId, hostname } = request;
  const id = shortId(containerId);
  return [...new Set([containerName.replace(/^\//, ''), ...aliases, id, hostname])];
}
