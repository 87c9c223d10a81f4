import { Conflict, Internal, InvalidParameter } from '../errors.ts';
import type { EndpointRequest } from '../network/network-manager.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import type { DurableRecord } from './durable-record.ts';
import { sandboxRequest } from './sandbox-request.ts';
import { isLive } from './state.ts';

/** Connects a container to a network: now when it runs, else when it starts. */
export async function connectToNetwork(
  record: DurableRecord,
  change: { readonly network: string; readonly asked: EndpointRequest },
  { deps, neighbours }: { readonly deps: Dependencies; readonly neighbours: Neighbours },
): Promise<void> {
  const network = deps.networks.findNetwork(change.network);
  const { value } = record;
  assertOwnNetworks(value, network.driver);
  const endpoints = { ...value.endpoints, [network.name]: change.asked };
  deps.networks.checkRequest({ mode: value.hostConfig.NetworkMode, endpoints });
  if (isLive(value.state)) {
    const directory = deps.paths.container(value.id);
    const request = sandboxRequest({ ...value, endpoints }, { neighbours, directory });
    await deps.networks.connectNetwork({ ...request, pid: value.state.pid }, network.id);
  }
  record.change({ endpoints });
}

/** The reverse. Throws Internal, as dockerd does, when it is not connected. */
export async function disconnectFromNetwork(
  record: DurableRecord,
  reference: string,
  { deps, neighbours }: { readonly deps: Dependencies; readonly neighbours: Neighbours },
): Promise<void> {
  const network = deps.networks.findNetwork(reference);
  const { value } = record;
  assertOwnNetworks(value, network.driver);
  const { [network.name]: leaving, ...endpoints } = value.endpoints;
  if (!leaving) throw new Internal(`container ${value.id} is not connected to the network ${network.name}`);
  if (isLive(value.state)) {
    const directory = deps.paths.container(value.id);
    const request = sandboxRequest({ ...value, endpoints }, { neighbours, directory });
    await deps.networks.disconnectNetwork({ ...request, pid: value.state.pid }, network.id);
  }
  record.change({ endpoints });
}

function assertOwnNetworks({ hostConfig }: ContainerRecord, driver: string): void {
  if (hostConfig.NetworkMode.startsWith('container:'))
    throw new Conflict(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  if (driver === 'host' || hostConfig.NetworkMode === 'host')
    throw new InvalidParameter(
      'container cannot be disconnected from host network or connected to host network',
    );
}
