import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { familyOf } from '../addressing/ip.ts';
import { addressOf } from '../endpoint.ts';
import type { NetworkRecord } from '../network.ts';
import type { NetworkRecords } from '../network-records.ts';
import { answerLocally, refusal } from './resolve.ts';
import { askUpstream, readMessages, withLength } from './upstream.ts';

/** Where containers of user-defined networks ask; programs have it in their configurations. */
export const embeddedAddress = '127.0.0.11';

/**
 * Where their questions arrive, at their network's gateway. The rules in their namespaces name it, so it is
 * the same after a restart; it is outside the range of ephemeral ports and of the ports we choose.
 */
export const serverPort = 61053;

const idleMs = 10_000;

/** Where a network's server listens: at its gateway, by IPv4 if it has that. */
export function serverAddress({ ipv4, ipv6 }: NetworkRecord): string {
  return (ipv4 ?? ipv6)!.gateway;
}

/** One server a network, listening at its gateway address; the asking container is known by its address. */
export class DnsServers {
  readonly #records: NetworkRecords;
  readonly #host: string | null;
  readonly #open = new Map<string, Promise<{ readonly udp: UdpSocket; readonly tcp: Server }>>();

  /** @param host address of the host in front of this one, or null */
  constructor(records: NetworkRecords, host: string | null) {
    this.#records = records;
    this.#host = host;
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
    opened?.udp.close();
    opened?.tcp.close();
  }

  async close(): Promise<void> {
    for (const id of [...this.#open.keys()]) await this.remove(id);
  }

  async #listen(network: NetworkRecord) {
    const address = serverAddress(network);
    const udp = createSocket(familyOf(address) === 6 ? 'udp6' : 'udp4');
    udp.bind({ address, port: serverPort, exclusive: true });
    await once(udp, 'listening');
    udp.on('error', () => {});
    udp.on('message', (query, from) => {
      void this.#answer(network.id, from.address, query, 'udp').then((answer) => {
        if (answer) udp.send(answer, from.port, from.address, () => {});
      });
    });
    // A client that has said all it will may still wait for answers.
    const tcp = createServer({ allowHalfOpen: true }, (socket) => {
      let answers = Promise.resolve();
      socket.setTimeout(idleMs, () => socket.destroy()).on('error', () => {});
      readMessages(socket, (query) => {
        const next = this.#answer(network.id, socket.remoteAddress ?? '', query, 'tcp');
        answers = answers.then(async () => {
          const answer = await next;
          if (answer && socket.writable) socket.write(withLength(answer));
        });
      });
      socket.on('end', () => void answers.then(() => socket.end()));
    });
    tcp.listen({ host: address, port: serverPort, exclusive: true });
    await once(tcp, 'listening').catch((error) => {
      udp.close();
      throw error;
    });
    return { udp: udp.unref(), tcp: tcp.unref() };
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
