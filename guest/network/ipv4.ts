import { InvalidParameter } from '../errors.ts';

/** An IPv4 block; `base` is its first address as an unsigned number. */
export interface Subnet {
  readonly base: number;
  readonly bits: number;
}

const octet = /^(0|[1-9]\d{0,2})$/;

/** Null when `text` is not a dotted quad of plain decimal numbers. */
export function parseAddress(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    if (!octet.test(part) || Number(part) > 255) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** `10.1.2.3/16` is the block 10.1.0.0/16. Throws InvalidParameter. */
export function parseSubnet(text: string): Subnet {
  const [addressText, bitsText = '', ...rest] = text.split('/');
  const address = parseAddress(addressText!);
  const bits = octet.test(bitsText) ? Number(bitsText) : 33;
  if (address === null || bits > 32 || rest.length > 0) {
    throw new InvalidParameter(`invalid subnet "${text}"; expected an IPv4 block such as 172.30.0.0/16`);
  }
  return { base: address - (address % blockSize(bits)), bits };
}

export function formatSubnet({ base, bits }: Subnet): string {
  return `${formatAddress(base)}/${bits}`;
}

/** Number of addresses in a block of this prefix length. */
export function blockSize(bits: number): number {
  return 2 ** (32 - bits);
}

export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address < subnet.base + blockSize(subnet.bits);
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return contains(a, b.base) || contains(b, a.base);
}

/** Every address of 127.0.0.0/8. */
export function isLoopback(address: number): boolean {
  return address >>> 24 === 127;
}
