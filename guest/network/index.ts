import type { DatabaseSync } from 'node:sqlite';
import { hostRoutes } from './host-routes.ts';
import type { NetworkOptions } from './network-options.ts';
import { NetworkRecords } from './network-records.ts';
import { ensurePredefined } from './predefined-networks.ts';
import { Sandboxes } from './sandboxes.ts';

export { defaultNetworkOptions, type NetworkOptions } from './network-options.ts';

/** The engine's networks; call `reconcile` with the containers that live, then `prepare` once the API answers. */
export async function openNetworks(db: DatabaseSync, options: NetworkOptions): Promise<Sandboxes> {
  const records = new NetworkRecords(db);
  ensurePredefined(records, options, await hostRoutes());
  return new Sandboxes(records, options);
}
