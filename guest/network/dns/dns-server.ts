import { askUpstream } from '../../dns/upstream.ts';
import { familyOf } from '../../ip.ts';
import { addressOf } from '../endpoint.ts';
import type { NetworkRecord } from '../network.ts';
import type { NetworkRecords } from '../network-records.ts';
import { type DnsListener, listenDns } from './listen-dns.ts';
import type { MachineResolver } from './machine-resolver.ts';
import { answerLocally, refusal } from './resolve.ts';

/** Where containers of user-defined networks ask; programs have it in their configurations. */
export const embeddedAddress = '127.0.0.11';

/**
 * Where their questions arrive, at their network's gateway. The rules in their namespaces name it, so it is
 * the same after a restart; it is outside the range of ephemeral ports and of the ports we choose.
 */
export const serverPort = 61053;

/** Where a network's server listens: at its gateway, by IPv4 if it has that. */
export function serverAddress({ ipv4, ipv6 }: NetworkRecord): string {
  return (ipv4 ?? ipv6)!.gateway;
}

/** One server a network, listening at its gateway address; the asking container is known by its address. */
export class DnsServers {
  readonly #records: NetworkRecords;
  readonly #host: string | null;
  readonly #resolver: MachineResolver | null;
  readonly #open = new Map<string, Promise<DnsListener>>();

  /** What there is of a host in front of this one: its address, and who asks it for names. */
  constructor(
    records: NetworkRecords,
    { host, resolver }: { readonly host: string | null; readonly resolver: MachineResolver | null },
  ) {
    this.#records = records;
    this.#host = host;
    this.#resolver = resolver;
  }

  /** Idempotent. The bridge must have its address. */
  async ensure(network: NetworkRecord): Promise<void> {
    let opening = this.#open.get(network.id);
    if (!opening) {
      opening = this.#listen(network);
      this.#open.set(network.id, opening);
      opening.catch(() => this.#open.delete(network.id));
    }
    await opening;
  }

  /** Idempotent. */
  async remove(networkId: string): Promise<void> {
    const opened = await this.#open.get(networkId)?.catch(() => null);
    this.#open.delete(networkId);
    opened?.close();
  }

  async close(): Promise<void> {
    for (const id of [...this.#open.keys()]) await this.remove(id);
  }

  #listen(network: NetworkRecord): Promise<DnsListener> {
    return listenDns({ address: serverAddress(network), port: serverPort }, (query, from, transport) =>
      this.#answer(network.id, from, query, transport),
    );
  }

  async #answer(
    networkId: string,
    address: string,
    query: Buffer,
    transport: 'udp' | 'tcp',
  ): Promise<Buffer | null> {
    const endpoints = this.#records.endpoints();
    const asking = endpoints.find(
      (endpoint) =>
        endpoint.networkId === networkId && addressOf(endpoint, familyOf(address))?.address === address,
    );
    if (!asking) return null;
    const own = endpoints.filter(({ containerId }) => containerId === asking.containerId);
    const local = answerLocally(query, { own, endpoints, host: this.#host, shuffle });
    if (local) return local;
    // A container that may not reach the world may not reach its name servers either.
    const open = own.some((endpoint) => addressOf(endpoint, 4)?.gateway ?? addressOf(endpoint, 6)?.gateway);
    const servers = open ? (this.#records.sandbox(asking.containerId)?.nameservers ?? []) : [];
    const resolver = this.#resolver;
    if (resolver !== null && servers[0] === resolver.address)
      return await resolver.answer(query, asking.containerId, transport);
    return (await askUpstream(query, servers, transport)) ?? refusal(query);
  }
}

function shuffle<T>(items: readonly T[]): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}
