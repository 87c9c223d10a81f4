import type { Family } from '../../ip.ts';
import { addressOf, type EndpointRecord } from '../endpoint.ts';

/** The endpoints that carry a container's default routes and its published ports. */
export type Gateways = Readonly<Record<Family, EndpointRecord | null>>;

/**
 * As dockerd chooses: by priority, then by the network's name; one that leads out by both families is
 * preferred to two that lead out by one each.
 */
export function chooseGateways(endpoints: readonly EndpointRecord[]): Gateways {
  const ordered = [...endpoints].sort(
    (a, b) => priority(b) - priority(a) || (a.networkName < b.networkName ? -1 : 1),
  );
  const leadsOut = (family: Family) => (endpoint: EndpointRecord) =>
    addressOf(endpoint, family)?.gateway != null;
  const both = ordered.find((endpoint) => leadsOut(4)(endpoint) && leadsOut(6)(endpoint));
  return both
    ? { 4: both, 6: both }
    : { 4: ordered.find(leadsOut(4)) ?? null, 6: ordered.find(leadsOut(6)) ?? null };
}

function priority({ asked }: EndpointRecord): number {
  return asked.GwPriority ?? 0;
}
