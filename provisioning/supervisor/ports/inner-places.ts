import type { Forward } from '../../../drivers/port-forwarder.ts';

/** Where a forward listens on this computer. */
export type Place = Pick<Forward, 'protocol' | 'hostAddress' | 'hostPort'>;

/** Where a relay leads to, at this moment: it is asked for each connection and datagram anew. */
export type Inside = () => Pick<Place, 'hostAddress' | 'hostPort'>;

/**
 * One number for all, of those that nobody is assigned and systems do not hand out to outgoing connections (Linux: up to
 * 60999). A program that listens at every address is in the way of it, hence a few more.
 */
const onePort = 62_731;
const numbers = 5;
/** Where the loopback has one address only. Popular images use 61613 to 61616 and 64738. */
const range = { first: 62_000, last: 64_500 };
const numbersOfRange = 20;

/**
 * Places for forwards that only relays know, best first: whatever people publish and programs listen at is to stay
 * theirs. Linux and Windows have all of 127.0.0.0/8, so it is the address that tells one from another; below 127.64 are
 * those that people use. macOS has 127.0.0.1 only.
 */
export function innerPlaces(protocol: Forward['protocol'], random: () => number = Math.random): Place[] {
  const among = (first: number, last: number) => first + Math.floor(random() * (last + 1 - first));
  const address = () => `127.${among(64, 254)}.${among(0, 255)}.${among(1, 254)}`;
  return [
    ...Array.from({ length: numbers }, (_, i) => ({ hostAddress: address(), hostPort: onePort + i })),
    ...Array.from({ length: numbersOfRange }, () => ({
      hostAddress: '127.0.0.1',
      hostPort: among(range.first, range.last),
    })),
  ].map((place) => ({ protocol, ...place }));
}

/** Whether only one of the two can listen. All IPv6 is listened at without IPv4. */
export function meet(one: Place, other: Place): boolean {
  const { hostAddress: a } = one;
  const { hostAddress: b } = other;
  if (one.protocol !== other.protocol || one.hostPort !== other.hostPort) return false;
  if (a.includes(':') !== b.includes(':')) return false;
  return a === b || [a, b].some((address) => address === '0.0.0.0' || address === '::');
}
