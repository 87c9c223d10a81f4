import { formatAddress, parseAddress } from '../ip.ts';

/** Data of an A or AAAA record. */
export function addressData(text: string): Buffer {
  const { family, value } = parseAddress(text)!;
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex');
}

/** Data of a PTR or CNAME record. */
export function nameData(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1').subarray(0, 63));
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), label]),
    Buffer.from([0]),
  ]);
}

/**
 * `2.0.18.172.in-addr.arpa` is 172.18.0.2; IPv6 has 32 hex digits before `ip6.arpa` (RFC 3596, 2.5). Null for
 * other names.
 */
export function reverseAddress(name: string): string | null {
  const quad = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (quad) return quad.slice(1).reverse().join('.');
  const digits = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  if (!digits) return null;
  const value = BigInt(`0x${digits.split('.').reverse().join('')}`);
  return formatAddress({ family: 6, value });
}
