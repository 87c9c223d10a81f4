import { randomBytes } from 'node:crypto';
import { Forbidden, InvalidParameter } from '../../errors.ts';
import type { Address } from '../../ip.ts';

/**
 * Locally administered: 02:42 and the four bytes of the IPv4 address, so it is unique where that is; random
 * for an endpoint without one.
 */
export function macAddress(ipv4: Address | null): string {
  const low = ipv4 === null ? randomBytes(4) : Buffer.from(ipv4.value.toString(16).padStart(8, '0'), 'hex');
  return [0x02, 0x42, ...low].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Unicast, in the form that `ip` takes. Throws InvalidParameter or Forbidden. */
export function checkedMac(text: string): string {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    throw new InvalidParameter(`invalid MAC address: "${text}"`);
  }
  if (Number.parseInt(text.slice(0, 2), 16) & 1)
    throw new Forbidden(`MAC address "${text}" is a multicast address`);
  return text.toLowerCase().replaceAll('-', ':');
}
