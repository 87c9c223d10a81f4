import { readdir, readFile } from 'node:fs/promises';
import { addressOrThrow, type Subnet } from '../../ip.ts';

/** Blocks that this host already has a way to; a new network must not shadow them. */
export async function hostRoutes(): Promise<Subnet[]> {
  return parseRoutes(await readFile('/proc/net/route', 'utf8'));
}

/** The link by which this host reaches an IPv4 address; null when it does not, or is that address itself. */
export async function linkTowards(address: string): Promise<string | null> {
  return routedBy(await readFile('/proc/net/route', 'utf8'), address);
}

/** The same by the text of /proc/net/route: the longest prefix wins. */
export function routedBy(text: string, address: string): string | null {
  const { value } = addressOrThrow(address);
  const [way] = linesOf(text)
    .map((fields) => ({ link: fields[0]!, base: fromHex(fields[1]!), mask: fromHex(fields[7]!) }))
    .filter(({ base, mask }) => (value & BigInt(mask)) === BigInt(base))
    .sort((a, b) => b.mask - a.mask);
  return way?.link ?? null;
}

/** Names of this host's links; the kernel's own `all` and `default` are among them. */
export async function hostLinks(): Promise<ReadonlySet<string>> {
  return new Set(await readdir('/proc/sys/net/ipv4/conf'));
}

/** Of /proc/net/route: destination and mask as little-endian hex; the default route is left out. */
export function parseRoutes(text: string): Subnet[] {
  return linesOf(text)
    .map((fields) => ({
      family: 4 as const,
      base: BigInt(fromHex(fields[1]!)),
      bits: prefixLength(fromHex(fields[7]!)),
    }))
    .filter((route) => route.bits > 0);
}

function linesOf(text: string): string[][] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
}

function fromHex(littleEndian: string): number {
  return Buffer.from(littleEndian, 'hex').readUInt32LE();
}

function prefixLength(mask: number): number {
  return 32 - Math.log2(2 ** 32 - mask);
}
