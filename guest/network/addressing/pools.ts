import { randomBytes } from 'node:crypto';
import { Forbidden } from '../../errors.ts';
import { formatSubnet, overlaps, parseSubnet, type Subnet } from '../../ip.ts';

/**
 * Blocks that networks without a subnet of their own get, in this order: first those Docker takes too, so
 * that people find the addresses they are used to.
 */
const pools: readonly string[] = [
  ...Array.from({ length: 15 }, (_, i) => `172.${17 + i}.0.0/16`),
  ...Array.from({ length: 16 }, (_, i) => `192.168.${16 * i}.0/20`),
];

/**
 * The first IPv4 block, from the `start`th on, that overlaps nothing in `taken`. Throws Forbidden, as dockerd
 * does, when all are used up.
 */
export function pickSubnet(taken: readonly Subnet[], start = 0): Subnet {
  const first = start % pools.length;
  for (const pool of [...pools.slice(first), ...pools.slice(0, first)].map(parseSubnet)) {
    if (!taken.some((other) => overlaps(pool, other))) return pool;
  }
  throw new Forbidden('all predefined address pools have been fully subnetted; give --subnet');
}

/** A unique local block with a random global id (RFC 4193, 3.2): with 40 bits, no two are alike. */
export function pickUniqueLocal(random: (bytes: number) => Buffer = randomBytes): Subnet {
  const words = random(5).toString('hex');
  return parseSubnet(`fd${words.slice(0, 2)}:${words.slice(2, 6)}:${words.slice(6)}::/64`);
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
