import { isIPv6 } from 'node:net';
import { InvalidParameter } from './errors.ts';

export type Family = 4 | 6;

/** `value` is the address as one unsigned number. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A block of addresses; `base` is its first. */
export interface Subnet {
  readonly family: Family;
  readonly base: bigint;
  readonly bits: number;
}

const width = { 4: 32, 6: 128 } as const;
const octet = /^(0|[1-9]\d{0,2})$/;

/** A dotted quad of plain decimal numbers, or IPv6 text without a zone (RFC 4291, 2.2); null for others. */
export function parseAddress(text: string): Address | null {
  if (isIPv6(text) && !text.includes('%')) return { family: 6, value: parseV6(text) };
  const value = parseV4(text);
  return value === null ? null : { family: 4, value };
}

/** Throws InvalidParameter. */
export function addressOrThrow(text: string, what = 'IP address'): Address {
  const address = parseAddress(text);
  if (address === null) throw new InvalidParameter(`invalid ${what}: "${text}"`);
  return address;
}

/** IPv6 in the form of RFC 5952. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return groups(value, 4, 8).join('.');
  const words = groups(value, 8, 16).map((word) => word.toString(16));
  const longest = [...words.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].sort(
    (a, b) => b[0].length - a[0].length,
  )[0];
  if (!longest) return words.join(':');
  const text = words.join(':');
  const before = text.slice(0, longest.index).replace(/:$/, '');
  return `${before}::${text.slice(longest.index + longest[0].length).replace(/^:/, '')}`;
}

/** `10.1.2.3/16` is the block 10.1.0.0/16. Throws InvalidParameter. */
export function parseSubnet(text: string): Subnet {
  const [addressText, bitsText = '', ...rest] = text.split('/');
  const address = parseAddress(addressText!);
  const bits = octet.test(bitsText) ? Number(bitsText) : 999;
  if (address === null || bits > width[address.family] || rest.length > 0) {
    throw new InvalidParameter(
      `invalid subnet "${text}"; expected a block such as 172.30.0.0/16 or fd00:30::/64`,
    );
  }
  const { family, value } = address;
  return { family, bits, base: value - (value % 2n ** BigInt(width[family] - bits)) };
}

export function formatSubnet({ family, base, bits }: Subnet): string {
  return `${formatAddress({ family, value: base })}/${bits}`;
}

/** Number of addresses in a block. */
export function blockSize({ family, bits }: Subnet): bigint {
  return 2n ** BigInt(width[family] - bits);
}

export function contains(subnet: Subnet, { family, value }: Address): boolean {
  return family === subnet.family && value >= subnet.base && value < subnet.base + blockSize(subnet);
}

/** The block's address number `offset`, counted from its first. */
export function addressAt({ family, base }: Subnet, offset: bigint): Address {
  return { family, value: base + offset };
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return contains(a, addressAt(b, 0n)) || contains(b, addressAt(a, 0n));
}

/** Every address of 127.0.0.0/8, and ::1. */
export function isLoopback({ family, value }: Address): boolean {
  return family === 4 ? value >> 24n === 127n : value === 1n;
}

/** 0.0.0.0 and ::, which stand for every address of the host. */
export function isUnspecified(text: string): boolean {
  return parseAddress(text)?.value === 0n;
}

/** Of an address that is known to be one. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/** IPv6 as it stands before a port. */
export function bracketed(address: string): string {
  return familyOf(address) === 6 ? `[${address}]` : address;
}

function parseV4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => octet.test(part) && Number(part) <= 255)) return null;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parseV6(text: string): bigint {
  // The last two words may be written as a dotted quad.
  const plain = text.replace(/[\d.]+$/, (quad) => {
    const value = quad.includes('.') ? parseV4(quad) : null;
    return value === null ? quad : `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const wordsOf = (half: string) => (half === '' ? [] : half.split(':'));
  const first = wordsOf(head);
  const last = wordsOf(tail ?? '');
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].reduce((value, word) => value * 65536n + BigInt(`0x${word}`), 0n);
}

function groups(value: bigint, count: number, bits: number): number[] {
  const mask = 2n ** BigInt(bits) - 1n;
  return Array.from({ length: count }, (_, i) => Number((value >> BigInt((count - 1 - i) * bits)) & mask));
}
