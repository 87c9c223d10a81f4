import { Forbidden, InvalidParameter } from '../../errors.ts';
import {
  addressOrThrow,
  blockSize,
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  parseAddress,
  parseSubnet,
  type Subnet,
} from '../../ip.ts';
import { assertAssignable, defaultGateway } from '../addressing/ipam.ts';
import { assertFree, pickSubnet, pickUniqueLocal } from '../addressing/pools.ts';
import type { AddressPool } from '../network.ts';

export interface AddressRequest {
  readonly enableIpv4: boolean;
  readonly enableIpv6: boolean;
  readonly addressing: readonly PoolRequest[];
}

/** What the choice of a free block depends on, besides other networks. */
export interface HostNetwork {
  readonly routes: readonly Subnet[];
  /** See network-options.ts. */
  readonly firstPool: number;
}

export interface PoolRequest {
  readonly subnet?: string | undefined;
  readonly range?: string | undefined;
  readonly gateway?: string | undefined;
  readonly auxiliary: Readonly<Record<string, string>>;
}

/**
 * The network's block of each family that it has: as asked for, or a free one. As dockerd, a block of a
 * family that is not enabled counts for nothing. Throws InvalidParameter, or Forbidden when one is taken.
 */
export function addressSettings(
  { enableIpv4, enableIpv6, addressing }: AddressRequest,
  taken: readonly Subnet[],
  { routes, firstPool }: HostNetwork,
): { readonly ipv4: AddressPool | null; readonly ipv6: AddressPool | null } {
  if (!enableIpv4 && !enableIpv6) throw new InvalidParameter('IPv4 or IPv6 must be enabled');
  const asked = (family: Family): PoolRequest => {
    const [first, second] = addressing.filter((pool) => familyOfPool(pool) === family);
    if (second) {
      throw new Forbidden(
        `a network has one subnet of IPv${family} in this engine: leave ${second.subnet ?? 'the second'} out`,
      );
    }
    return first ?? { auxiliary: {} };
  };
  const pool = (family: Family) => {
    const request = asked(family);
    const others = taken.filter((subnet) => subnet.family === family);
    if (request.subnet) {
      const subnet = exactSubnet(request.subnet);
      assertFree(subnet, others);
      return addressPool(request, subnet);
    }
    return addressPool(
      request,
      family === 4 ? pickSubnet([...others, ...routes], firstPool) : pickUniqueLocal(),
    );
  };
  return { ipv4: enableIpv4 ? pool(4) : null, ipv6: enableIpv6 ? pool(6) : null };
}

/** Without a subnet: by its gateway, which needs one, or IPv4. */
function familyOfPool({ subnet, gateway, range }: PoolRequest): Family {
  return (subnet ?? range ?? gateway ?? '').includes(':') ? 6 : 4;
}

/** As dockerd, refuses a block that is written by another address than its first. */
function exactSubnet(text: string): Subnet {
  const subnet = parseSubnet(text);
  const exact = formatSubnet(subnet);
  if (parseAddress(text.split('/')[0]!)!.value !== subnet.base)
    throw new InvalidParameter(`invalid network config:\ninvalid subnet ${text}: it should be ${exact}`);
  return subnet;
}

function addressPool(asked: PoolRequest, subnet: Subnet): AddressPool {
  if (!asked.subnet && (asked.gateway || asked.range)) {
    throw new InvalidParameter('a gateway or a range needs a subnet');
  }
  if (blockSize(subnet) < 4n)
    throw new InvalidParameter(`subnet ${formatSubnet(subnet)} has no room for containers`);
  const gateway = asked.gateway ? addressOrThrow(asked.gateway, 'gateway address') : defaultGateway(subnet);
  assertAssignable(gateway, subnet, new Set());
  const range = asked.range ? parseSubnet(asked.range) : null;
  if (range && !(contains(subnet, { ...range, value: range.base }) && range.bits >= subnet.bits)) {
    throw new InvalidParameter(`range ${formatSubnet(range)} is not in subnet ${formatSubnet(subnet)}`);
  }
  for (const text of Object.values(asked.auxiliary)) {
    assertAssignable(addressOrThrow(text, 'auxiliary address'), subnet, new Set([gateway.value]));
  }
  return {
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gateway),
    range: range && formatSubnet(range),
    auxiliary: asked.auxiliary,
  };
}
