import { Conflict, Forbidden, InvalidParameter } from '../errors.ts';
import {
  blockSize,
  contains,
  formatAddress,
  formatSubnet,
  overlaps,
  parseSubnet,
  type Subnet,
} from './ipv4.ts';

/** Address management: pure, over sets of what is taken. Addresses are unsigned numbers (ipv4.ts). */

/**
 * Blocks that networks without a subnet of their own get, in this order: first those Docker takes too, so
 * that people find the addresses they are used to.
 */
const pools: readonly string[] = [
  ...Array.from({ length: 15 }, (_, i) => `172.${17 + i}.0.0/16`),
  ...Array.from({ length: 16 }, (_, i) => `192.168.${16 * i}.0/20`),
];

/**
 * The first block, from the `start`th on, that overlaps nothing in `taken`. Throws Forbidden, as dockerd
 * does, when all are used up.
 */
export function pickSubnet(taken: readonly Subnet[], start = 0): Subnet {
  const first = start % pools.length;
  for (const pool of [...pools.slice(first), ...pools.slice(0, first)].map(parseSubnet)) {
    if (!taken.some((other) => overlaps(pool, other))) return pool;
  }
  throw new Forbidden('all predefined address pools have been fully subnetted; give --subnet');
}

/** Throws Forbidden when `subnet` overlaps one in `taken`. */
export function assertFree(subnet: Subnet, taken: readonly Subnet[]): void {
  const other = taken.find((candidate) => overlaps(subnet, candidate));
  if (other) {
    throw new Forbidden(
      `invalid pool request: Pool overlaps with other one on this address space: ${formatSubnet(subnet)} and ${formatSubnet(other)}`,
    );
  }
}

/** The first usable address of a block. */
export function defaultGateway(subnet: Subnet): number {
  return subnet.base + 1;
}

/**
 * The next free host address after `last`, round the block: an address is reused as late as possible, so
 * that no neighbour's cache or connection entry meets its next owner. Throws Conflict when none is free.
 */
export function nextAddress(request: {
  readonly range: Subnet;
  readonly subnet: Subnet;
  readonly last: number | null;
  readonly taken: ReadonlySet<number>;
}): number {
  const { range, subnet, last, taken } = request;
  const size = blockSize(range.bits);
  const from = last !== null && contains(range, last) ? last - range.base + 1 : 0;
  for (let i = 0; i < size; i++) {
    const candidate = range.base + ((from + i) % size);
    if (isHostAddress(subnet, candidate) && !taken.has(candidate)) return candidate;
  }
  throw new Conflict(`no available IPv4 addresses on this network's address pools: ${formatSubnet(subnet)}`);
}

/** Checks an address that a user asked for. Throws InvalidParameter (outside the block) or Conflict (taken). */
export function assertAssignable(address: number, subnet: Subnet, taken: ReadonlySet<number>): void {
  if (!contains(subnet, address) || !isHostAddress(subnet, address)) {
    throw new InvalidParameter(
      `invalid address ${formatAddress(address)}: it does not belong to the network's subnet ${formatSubnet(subnet)}`,
    );
  }
  if (taken.has(address)) throw new Conflict(`Address already in use: ${formatAddress(address)}`);
}

/** Locally administered and derived from the address (02:42 and its four bytes), so it is unique where that is. */
export function macAddress(address: number): string {
  const bytes = [0x02, 0x42, ...[24, 16, 8, 0].map((shift) => (address >>> shift) & 255)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Neither the network's own nor its broadcast address; blocks of two and one addresses have no such (RFC 3021). */
function isHostAddress(subnet: Subnet, address: number): boolean {
  if (subnet.bits >= 31) return true;
  return address !== subnet.base && address !== subnet.base + blockSize(subnet.bits) - 1;
}
