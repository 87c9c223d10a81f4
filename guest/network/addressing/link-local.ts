import { InvalidParameter } from '../../errors.ts';
import { parseAddress } from '../../ip.ts';

/** With the prefix that dockerd gives it, whatever the address. Throws InvalidParameter. */
export function linkLocalAddress(text: string): string {
  const address = parseAddress(text);
  if (address === null) throw new InvalidParameter(`invalid link-local IP address: ${text}`);
  return `${text}/${address.family === 4 ? 16 : 64}`;
}
