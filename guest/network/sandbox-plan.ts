import { Conflict, InvalidParameter } from '../errors.ts';
import { type BridgeNetwork, hasBridge } from './bridge.ts';
import { isPredefined, type NetworkRecord } from './network.ts';
import type { EndpointRequest, SandboxRequest } from './network-manager.ts';

/** What a request comes down to, before anything is made. */
export type SandboxPlan =
  | { readonly kind: 'alone'; readonly network: NetworkRecord }
  | { readonly kind: 'joined'; readonly containerId: string; readonly pid: number }
  /** In this order eth0, eth1… */
  | { readonly kind: 'bridged'; readonly attachments: readonly Attachment[] };

export interface Attachment {
  readonly network: BridgeNetwork;
  readonly asked: EndpointRequest;
}

/**
 * Decides and checks; `find` looks a network up by name or id and throws NotFound. Throws InvalidParameter
 * for what this network cannot give, Conflict for a target that does not run.
 */
export function planSandbox(
  request: SandboxRequest,
  find: (reference: string) => NetworkRecord,
): SandboxPlan {
  if (request.mode.startsWith('container:')) {
    if (!request.joined) {
      throw new Conflict(
        `cannot join network of a non running container: ${request.mode.slice('container:'.length)}`,
      );
    }
    return { kind: 'joined', ...request.joined };
  }
  const primary = find(networkName(request.mode));
  const asked = new Map<string, { network: NetworkRecord; asked: EndpointRequest }>();
  asked.set(primary.id, { network: primary, asked: {} });
  for (const [reference, endpoint] of Object.entries(request.endpoints)) {
    const network = find(networkName(reference));
    asked.set(network.id, { network, asked: endpoint ?? {} });
  }
  if (!hasBridge(primary)) {
    if (asked.size > 1) {
      throw new InvalidParameter(
        `container cannot be connected to multiple networks with one of the networks in ${primary.name} mode`,
      );
    }
    return { kind: 'alone', network: primary };
  }
  return { kind: 'bridged', attachments: [...asked.values()].map(toAttachment) };
}

/** The words of HostConfig.NetworkMode that are no names. */
function networkName(mode: string): string {
  return mode === '' || mode === 'default' ? 'bridge' : mode;
}

function toAttachment({ network, asked }: { network: NetworkRecord; asked: EndpointRequest }): Attachment {
  if (!hasBridge(network)) {
    throw new InvalidParameter(`container cannot be connected to ${network.name} and to other networks`);
  }
  if (asked.IPAMConfig?.IPv6Address) {
    throw new InvalidParameter(`network "${network.name}" has no IPv6; leave the IPv6 address out`);
  }
  if (Object.keys(asked.DriverOpts ?? {}).length > 0) {
    throw new InvalidParameter(`unknown endpoint options: ${Object.keys(asked.DriverOpts!).join(', ')}`);
  }
  if (isPredefined(network.name)) {
    if (asked.IPAMConfig?.IPv4Address) {
      throw new InvalidParameter('user specified IP address is supported on user defined networks only');
    }
    if (asked.Aliases?.length) {
      throw new InvalidParameter('network-scoped aliases are only supported for user-defined networks');
    }
  }
  return { network, asked };
}
