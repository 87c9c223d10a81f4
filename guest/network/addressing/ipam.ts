import { Conflict, InvalidParameter } from '../../errors.ts';
import {
  type Address,
  addressAt,
  blockSize,
  contains,
  formatAddress,
  formatSubnet,
  type Subnet,
} from '../../ip.ts';

/** Address management: pure, over sets of what is taken (by their numbers, of one family). */

/** The first usable address of a block. */
export function defaultGateway(subnet: Subnet): Address {
  return addressAt(subnet, 1n);
}

/**
 * The next free host address after `last`, round the block: an address is reused as late as possible, so
 * that no neighbour's cache or connection entry meets its next owner. Throws Conflict when none is free.
 */
export function nextAddress(request: {
  readonly range: Subnet;
  readonly subnet: Subnet;
  readonly last: bigint | null;
  readonly taken: ReadonlySet<bigint>;
}): Address {
  const { range, subnet, last, taken } = request;
  const size = blockSize(range);
  const from = last !== null && contains(range, { ...subnet, value: last }) ? last - range.base + 1n : 0n;
  for (let i = 0n; i < size; i++) {
    const candidate = addressAt(range, (from + i) % size);
    if (isHostAddress(subnet, candidate) && !taken.has(candidate.value)) return candidate;
  }
  throw new Conflict(
    `no available IPv${subnet.family} addresses on this network's address pools: ${formatSubnet(subnet)}`,
  );
}

/** Checks an address that a user asked for. Throws InvalidParameter (outside the block) or Conflict (taken). */
export function assertAssignable(address: Address, subnet: Subnet, taken: ReadonlySet<bigint>): void {
  if (!contains(subnet, address) || !isHostAddress(subnet, address)) {
    throw new InvalidParameter(
      `invalid address ${formatAddress(address)}: it does not belong to the network's subnet ${formatSubnet(subnet)}`,
    );
  }
  if (taken.has(address.value)) throw new Conflict(`Address already in use: ${formatAddress(address)}`);
}

/**
 * Neither the network's own address (in IPv6: that of its routers, RFC 4291, 2.6.1) nor IPv4's broadcast;
 * blocks of two and one addresses have no such (RFC 3021, RFC 6164).
 */
function isHostAddress(subnet: Subnet, { value }: Address): boolean {
  const size = blockSize(subnet);
  if (size <= 2n) return true;
  return value !== subnet.base && (subnet.family === 6 || value !== subnet.base + size - 1n);
}
