import { Conflict, InvalidParameter, NotFound } from '../errors.ts';
import type { EndpointRequest, NetworkManager } from '../network/network-manager.ts';
import type { EndpointBody, HostConfig } from '../schema/container.ts';

export type Memberships = Readonly<Record<string, EndpointRequest>>;

/**
 * The networks that a new container will be connected to, by their names: that of its network mode, and
 * those it is given settings for. A network that is not there is missed when the container starts. Throws
 * InvalidParameter or Conflict for what its networks cannot give.
 */
export function newMemberships(
  of: { readonly hostConfig: HostConfig; readonly disabled: boolean; readonly macAddress: string },
  asked: Readonly<Record<string, EndpointBody | null>>,
  networks: NetworkManager,
): Memberships {
  const mode = of.disabled ? 'none' : of.hostConfig.NetworkMode || 'default';
  if (mode.startsWith('container:')) {
    if (Object.keys(asked).length > 0)
      throw new Conflict(
        'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
      );
    return {};
  }
  const nameOf = (reference: string) => {
    const name = reference === 'default' ? 'bridge' : reference;
    try {
      return networks.findNetwork(name).name;
    } catch (error) {
      if (error instanceof NotFound) return name;
      throw error;
    }
  };
  const primary = nameOf(mode);
  const named = Object.fromEntries(
    Object.entries(asked).map(([reference, endpoint]) => [nameOf(reference), endpointRequest(endpoint)]),
  );
  const first = named[primary] ?? {};
  // The container's own setting, of clients before API 1.44, is that of its first network.
  if (of.macAddress && first.MacAddress && of.macAddress !== first.MacAddress)
    throw new InvalidParameter(
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left out',
    );
  const memberships: Memberships = {
    [primary]: of.macAddress ? { ...first, MacAddress: of.macAddress } : first,
    ...Object.fromEntries(Object.entries(named).filter(([name]) => name !== primary)),
  };
  try {
    networks.checkRequest({ mode, endpoints: memberships });
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
  return memberships;
}

/** From the wire; null stands for no settings. */
export function endpointRequest(body: EndpointBody | null | undefined): EndpointRequest {
  if (!body) return {};
  const { IPv4Address, IPv6Address, LinkLocalIPs } = body.IPAMConfig ?? {};
  return {
    Aliases: body.Aliases,
    Links: body.Links,
    ...(body.MacAddress ? { MacAddress: body.MacAddress } : {}),
    IPAMConfig: body.IPAMConfig && {
      ...(IPv4Address ? { IPv4Address } : {}),
      ...(IPv6Address ? { IPv6Address } : {}),
      ...(LinkLocalIPs?.length ? { LinkLocalIPs } : {}),
    },
    DriverOpts: body.DriverOpts,
    GwPriority: body.GwPriority,
  };
}
