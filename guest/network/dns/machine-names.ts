import { contains, parseAddress, parseSubnet } from '../../ip.ts';
import type { NetworkRecords } from '../network-records.ts';
import { serverPort } from './dns-server.ts';
import { HostStream } from './host-stream.ts';
import { type DnsListener, listenDns } from './listen-dns.ts';
import { MachineResolver, type ResolverPlace } from './machine-resolver.ts';

/** A supervisor that was killed is not waited for; one that starts with the machine, or finds a new engine, is. */
const comeDeadlineMs = 10_000;

export interface MachineNames {
  readonly resolver: MachineResolver;
  /** The host in front connects to it. */
  readonly host: HostStream;
  close(): void;
}

/**
 * The machine's name server, for its own programs and for containers that have no embedded one. Questions to port 53 of
 * its address come to {@link serverPort}: rules of guest/boot (`prepare`) see to that, so that containers in the host's
 * network may have port 53 to themselves.
 */
export async function openMachineNames(
  records: NetworkRecords,
  place: ResolverPlace,
  hostAddress: string,
): Promise<MachineNames> {
  const host = new HostStream({ expectedWithinMs: comeDeadlineMs });
  const resolver = new MachineResolver({ ...place, hostAddress, host });
  const { address } = place;
  const listener: DnsListener = await listenDns(
    { address, port: serverPort },
    async (query, from, transport) =>
      isConfined(records, from) ? null : await resolver.answer(query, from, transport),
  );
  return {
    resolver,
    host,
    close() {
      listener.close();
      host.close();
    },
  };
}

/** In a network that nothing leaves, names of the world would be a way out. */
function isConfined(records: NetworkRecords, from: string): boolean {
  const address = parseAddress(from);
  return records
    .networks()
    .some(
      ({ internal, ipv4 }) =>
        internal && ipv4 !== null && address !== null && contains(parseSubnet(ipv4.subnet), address),
    );
}
