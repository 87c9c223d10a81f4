import { isIP } from 'node:net';
import { InvalidParameter } from '../../errors.ts';

/** A line of /etc/hosts. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

const loopback: readonly HostsEntry[] = [
  { address: '127.0.0.1', names: ['localhost'] },
  { address: '::1', names: ['localhost', 'ip6-localhost', 'ip6-loopback'] },
  { address: 'fe00::', names: ['ip6-localnet'] },
  { address: 'ff00::', names: ['ip6-mcastprefix'] },
  { address: 'ff02::1', names: ['ip6-allnodes'] },
  { address: 'ff02::2', names: ['ip6-allrouters'] },
];

/** A container's /etc/hosts: loopback, what the user added, then its own addresses (hosts(5)). */
export function renderHosts(extra: readonly HostsEntry[], own: readonly HostsEntry[]): string {
  return [...loopback, ...extra, ...own].map(line).join('');
}

/** Adds entries to a file that is there, such as the host's own in the network mode `host`. */
export function appendHosts(text: string, extra: readonly HostsEntry[]): string {
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return whole + extra.map(line).join('');
}

/** Takes out the lines of addresses, and adds others; all else stays, which may be the container's own. */
export function changeHosts(
  text: string,
  change: { readonly added: readonly HostsEntry[]; readonly removed: readonly string[] },
): string {
  const kept = text.split('\n').filter((entry) => !change.removed.includes(entry.split(/\s/, 1)[0]!));
  return appendHosts(kept.join('\n'), change.added);
}

/** Takes out the lines whose first name is `name`. */
export function withoutName(text: string, name: string): string {
  return text
    .split('\n')
    .filter((entry) => entry.split(/\s+/)[1] !== name)
    .join('\n');
}

/**
 * Parses `name:address` pairs; the word `host-gateway` stands for `hostGateway`. Throws InvalidParameter,
 * also for names that would break out of their line.
 */
export function parseExtraHosts(pairs: readonly string[], hostGateway: string | null): HostsEntry[] {
  return pairs.map((pair) => {
    const colon = pair.indexOf(':');
    const name = pair.slice(0, colon);
    if (colon < 1 || /[\s#]/.test(name)) {
      throw new InvalidParameter(`bad format for add-host: "${pair}"; expected name:address`);
    }
    const word = pair.slice(colon + 1).replace(/^\[(.*)\]$/, '$1');
    const address = word === 'host-gateway' ? hostGateway : word;
    if (address === null) {
      throw new InvalidParameter(
        'unable to derive the IP value for host-gateway: this network has no gateway',
      );
    }
    if (isIP(address) === 0) throw new InvalidParameter(`invalid IP address in add-host: "${address}"`);
    return { address, names: [name] };
  });
}

function line({ address, names }: HostsEntry): string {
  return `${address}\t${names.join(' ')}\n`;
}
