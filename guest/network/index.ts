import type { DatabaseSync } from 'node:sqlite';
import type { EventSink } from '../events/event.ts';
import { hostRoutes, linkTowards } from './addressing/host-routes.ts';
import { ensurePredefined } from './definition/predefined-networks.ts';
import { type MachineNames, openMachineNames } from './dns/machine-names.ts';
import { firstPool, type NetworkOptions } from './network-options.ts';
import { NetworkRecords } from './network-records.ts';
import { Networks } from './networks.ts';
import { Sandboxes } from './sandbox/sandboxes.ts';

export { defaultNetworkOptions, type NetworkOptions } from './network-options.ts';

/** The engine's networks and the sandboxes in them. Reconcile the sandboxes before the first use. */
export async function openNetworks(
  db: DatabaseSync,
  options: NetworkOptions,
  events: EventSink,
): Promise<{
  readonly networks: Networks;
  readonly sandboxes: Sandboxes;
  /** Null where no host in front resolves names. */
  readonly names: MachineNames | null;
}> {
  const records = new NetworkRecords(db);
  ensurePredefined(records, options, await hostRoutes());
  const { publishThrough: address } = options;
  const through = address === null ? null : { address, linkName: await linkTowards(address) };
  const names =
    options.resolverPlace === null || address === null
      ? null
      : await openMachineNames(records, options.resolverPlace, address);
  const resolver = names?.resolver ?? null;
  const sandboxes = new Sandboxes(records, { ...options, through, resolver }, events);
  return {
    names,
    networks: new Networks(records, sandboxes, { events, firstPool: firstPool(options) }),
    sandboxes,
  };
}
