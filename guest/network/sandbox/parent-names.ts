import type { EndpointRecord } from '../endpoint.ts';
import type { HostsEntry } from '../files/hosts-file.ts';
import { editHosts } from '../files/sandbox-files.ts';
import type { NetworkRecords } from '../network-records.ts';

/**
 * No name server of ours is in reach of a macvlan or ipvlan network: the host is no neighbour there. So its
 * containers have one another in their hosts files.
 */
export class ParentNames {
  readonly #records: NetworkRecords;
  /** One change after another: each reads a file and writes it. */
  #last: Promise<void> = Promise.resolve();

  constructor(records: NetworkRecords) {
    this.#records = records;
  }

  /** A container and its neighbours get to know one another; its own file must be there. */
  introduce(endpoint: EndpointRecord): Promise<void> {
    return this.#inTurn(endpoint, async (neighbours) => {
      await this.#edit(endpoint, { added: neighbours.flatMap(entriesOf), removed: [] });
      for (const neighbour of neighbours)
        await this.#edit(neighbour, { added: entriesOf(endpoint), removed: [] });
    });
  }

  /** They forget it, and it forgets them. */
  part(endpoint: EndpointRecord): Promise<void> {
    return this.#inTurn(endpoint, async (neighbours) => {
      await this.#edit(endpoint, { added: [], removed: neighbours.flatMap(addressesOf) });
      for (const neighbour of neighbours)
        await this.#edit(neighbour, { added: [], removed: addressesOf(endpoint) });
    });
  }

  #inTurn(
    endpoint: EndpointRecord,
    work: (neighbours: readonly EndpointRecord[]) => Promise<void>,
  ): Promise<void> {
    if (endpoint.networkDriver !== 'macvlan' && endpoint.networkDriver !== 'ipvlan') return Promise.resolve();
    const result = this.#last.then(() =>
      work(
        this.#records
          .endpointsOfNetwork(endpoint.networkId)
          .filter(({ containerId }) => containerId !== endpoint.containerId),
      ),
    );
    this.#last = result.catch(() => {});
    return result;
  }

  async #edit(
    { containerId }: EndpointRecord,
    change: { readonly added: readonly HostsEntry[]; readonly removed: readonly string[] },
  ): Promise<void> {
    const directory = this.#records.sandbox(containerId)?.directory;
    if (directory) await editHosts(directory, change);
  }
}

function addressesOf({ link }: EndpointRecord): string[] {
  return [link?.ipv4, link?.ipv6].flatMap((given) => given?.address ?? []);
}

function entriesOf(endpoint: EndpointRecord): HostsEntry[] {
  return addressesOf(endpoint).map((address) => ({ address, names: endpoint.dnsNames ?? [] }));
}
