import { Forbidden } from '../errors.ts';
import type { EventSink } from '../events/event.ts';
import { hostLinks, hostRoutes } from './addressing/host-routes.ts';
import { type NetworkRequest, newNetwork } from './definition/network-request.ts';
import type { EndpointRecord } from './endpoint.ts';
import { hasLinks, isPredefined, type NetworkRecord } from './network.ts';
import type { NetworkRecords } from './network-records.ts';
import type { Sandboxes } from './sandbox/sandboxes.ts';

/** The networks themselves, apart from who is connected to them. */
export class Networks {
  readonly #records: NetworkRecords;
  readonly #sandboxes: Sandboxes;
  readonly #events: EventSink;
  readonly #firstPool: number;

  constructor(
    records: NetworkRecords,
    sandboxes: Sandboxes,
    options: { readonly events: EventSink; readonly firstPool: number },
  ) {
    this.#records = records;
    this.#sandboxes = sandboxes;
    this.#events = options.events;
    this.#firstPool = options.firstPool;
  }

  list(): NetworkRecord[] {
    return this.#records.networks();
  }

  /** By name, id or unique prefix of an id. Throws NotFound. */
  get(reference: string): NetworkRecord {
    return this.#records.network(reference);
  }

  /** Of running containers. */
  endpoints(network: NetworkRecord): EndpointRecord[] {
    return this.#records.endpointsOfNetwork(network.id);
  }

  /** The kernel's side is made when the first container comes. Throws as {@link newNetwork} does. */
  async create(request: NetworkRequest): Promise<NetworkRecord> {
    const host = { routes: await hostRoutes(), links: await hostLinks(), firstPool: this.#firstPool };
    const network = newNetwork(request, this.list(), host);
    this.#records.saveNetwork(network);
    this.#publish('create', network);
    return network;
  }

  /** Throws NotFound, or Forbidden for a predefined network and for one that is in use. */
  async remove(reference: string): Promise<void> {
    const network = this.get(reference);
    if (isPredefined(network.name)) {
      throw new Forbidden(`${network.name} is a pre-defined network and cannot be removed`);
    }
    const users = this.endpoints(network);
    if (users.length > 0) {
      throw new Forbidden(
        `error while removing network: network ${network.name} has active endpoints (name:${quoted(users)}); stop or disconnect them first`,
      );
    }
    // The link first: a record without its link is mended on the next use, a link without its record never.
    if (hasLinks(network)) await this.#sandboxes.takeDown(network);
    this.#records.deleteNetwork(network.id);
    this.#publish('destroy', network);
  }

  #publish(action: string, { id, name, driver }: NetworkRecord): void {
    this.#events.publish({ type: 'network', action, actor: { id, attributes: { name, type: driver } } });
  }
}

function quoted(endpoints: readonly EndpointRecord[]): string {
  return endpoints.map(({ containerName }) => `"${containerName.replace(/^\//, '')}"`).join(', ');
}
