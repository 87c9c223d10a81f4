import { Conflict, InvalidParameter } from '../../errors.ts';
import { linkLocalAddress } from '../addressing/link-local.ts';
import { checkedMac } from '../addressing/mac-address.ts';
import { hasLinks, hasParent, isPredefined, type LinkedNetwork, type NetworkRecord } from '../network.ts';
import type { EndpointRequest, SandboxRequest } from '../network-manager.ts';
import { parseLink } from './container-link.ts';
import { endpointOptions } from './endpoint-options.ts';

/** What a request comes down to, before anything is made. */
export type SandboxPlan =
  | { readonly kind: 'alone'; readonly network: NetworkRecord }
  | ({ readonly kind: 'joined' } & NonNullable<SandboxRequest['joined']>)
  | { readonly kind: 'linked'; readonly attachments: readonly Attachment[] };

export interface Attachment {
  readonly network: LinkedNetwork;
  readonly asked: EndpointRequest;
}

/**
 * Decides and checks; `find` looks a network up by name or id and throws NotFound. Throws InvalidParameter
 * for what a network cannot give, Conflict for a target that does not run.
 */
export function planSandbox(
  request: Pick<SandboxRequest, 'mode' | 'endpoints' | 'joined'>,
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
  const primary = networkName(request.mode);
  const asked = new Map<string, { network: NetworkRecord; asked: EndpointRequest }>();
  for (const [reference, endpoint] of Object.entries(request.endpoints)) {
    const network = find(networkName(reference));
    asked.set(network.id, { network, asked: endpoint ?? {} });
  }
  if (asked.size === 0) return planFor([{ network: find(primary), asked: {} }]);
  const isFirst = ({ network }: { network: NetworkRecord }) =>
    network.name === primary || network.id.startsWith(primary);
  const wished = [...asked.values()];
  return planFor([...wished.filter(isFirst), ...wished.filter((one) => !isFirst(one))]);
}

function planFor(wished: readonly { network: NetworkRecord; asked: EndpointRequest }[]): SandboxPlan {
  const alone = wished.find(({ network }) => !hasLinks(network));
  if (!alone) return { kind: 'linked', attachments: wished.map(toAttachment) };
  if (wished.length > 1) {
    const { name } = alone.network;
    throw new InvalidParameter(
      `container cannot be connected to multiple networks with one of the networks in ${name === 'none' ? 'private (none)' : name} mode`,
    );
  }
  return { kind: 'alone', network: alone.network };
}

/** The words of HostConfig.NetworkMode that are no names. */
function networkName(mode: string): string {
  return mode === '' || mode === 'default' ? 'bridge' : mode;
}

/** Throws InvalidParameter for what the network cannot give. */
export function toAttachment({
  network,
  asked,
}: {
  network: NetworkRecord;
  asked: EndpointRequest;
}): Attachment {
  if (!hasLinks(network)) {
    throw new InvalidParameter(`container cannot be connected to ${network.name} and to other networks`);
  }
  endpointOptions(asked.DriverOpts);
  for (const link of asked.Links ?? []) parseLink(link);
  if (hasParent(network) && asked.Links?.length)
    throw new InvalidParameter(`network "${network.name}" has no name server; leave --link out`);
  if (network.driver === 'ipvlan' && asked.MacAddress)
    throw new InvalidParameter('a link of an ipvlan network has the MAC address of its parent');
  if (asked.MacAddress) checkedMac(asked.MacAddress);
  for (const address of asked.IPAMConfig?.LinkLocalIPs ?? []) linkLocalAddress(address);
  if (isPredefined(network.name)) {
    if (asked.IPAMConfig?.IPv4Address || asked.IPAMConfig?.IPv6Address) {
      throw new InvalidParameter('user specified IP address is supported on user defined networks only');
    }
    if (asked.Aliases?.length) {
      throw new InvalidParameter('network-scoped aliases are only supported for user-defined networks');
    }
  }
  return { network, asked };
}
