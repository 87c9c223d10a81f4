import type { EventSink } from '../../events/event.ts';
import type { Addresses } from '../addressing/addresses.ts';
import type { ResolverPlace } from '../dns/machine-resolver.ts';
import type { EndpointRecord } from '../endpoint.ts';
import type { NetworkNamespace } from '../links/network-namespace.ts';
import type { NetworkRecords } from '../network-records.ts';
import type { PublishedPorts } from '../ports/published-ports.ts';
import type { ParentNames } from './parent-names.ts';
import type { SandboxLinks } from './sandbox-links.ts';
import type { SpareSandboxes } from './spare-sandboxes.ts';

/** What sandboxes are made of. */
export interface SandboxParts {
  readonly records: NetworkRecords;
  readonly addresses: Addresses;
  readonly links: SandboxLinks;
  readonly ports: PublishedPorts;
  /** Of the host in front of this one; null: there is none. */
  readonly hostAddress: string | null;
  /** Of the machine's own name server; null: there is none. */
  readonly resolverPlace: ResolverPlace | null;
  readonly spares: SpareSandboxes;
  readonly names: ParentNames;
  /** Namespaces that this process holds, by container. */
  readonly namespaces: Map<string, NetworkNamespace>;
  readonly events: EventSink;
}

/** Tells the event stream who came and went. */
export function publishEndpoints(
  { events }: Pick<SandboxParts, 'events'>,
  action: 'connect' | 'disconnect',
  endpoints: readonly EndpointRecord[],
): void {
  for (const { networkId, networkName, networkDriver, containerId } of endpoints) {
    const attributes = { container: containerId, name: networkName, type: networkDriver };
    events.publish({ type: 'network', action, actor: { id: networkId, attributes } });
  }
}
