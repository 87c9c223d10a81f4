import { createHash } from 'node:crypto';
import { newId } from '../ids.ts';
import { defaultGateway, pickSubnet } from './ipam.ts';
import { formatAddress, formatSubnet, parseSubnet, type Subnet } from './ipv4.ts';
import { type BridgeSettings, type NetworkRecord, predefinedNetworks } from './network.ts';
import { defaultNetworkOptions, type NetworkOptions } from './network-options.ts';
import type { NetworkRecords } from './network-records.ts';

/**
 * Makes the records of `bridge`, `host` and `none` when they are not there; their ids stay. The bridge's
 * name and subnet follow the options of this start.
 */
export function ensurePredefined(
  records: NetworkRecords,
  options: NetworkOptions,
  routes: readonly Subnet[],
): void {
  const known = new Map(records.networks().map((network) => [network.name, network]));
  for (const name of predefinedNetworks) {
    const old = known.get(name);
    const bridge = name === 'bridge' ? defaultBridge(options, old?.bridge ?? null, routes) : null;
    if (old && JSON.stringify(old.bridge) === JSON.stringify(bridge)) continue;
    records.saveNetwork({ ...(old ?? newRecord(name)), bridge });
  }
}

function newRecord(name: (typeof predefinedNetworks)[number]): NetworkRecord {
  return {
    id: newId(),
    name,
    driver: name === 'none' ? 'null' : name,
    createdAt: new Date().toISOString(),
    bridge: null,
    internal: false,
    attachable: false,
    labels: {},
    options: {},
  };
}

function defaultBridge(
  options: NetworkOptions,
  old: BridgeSettings | null,
  routes: readonly Subnet[],
): BridgeSettings {
  const subnet = options.bridgeSubnet
    ? parseSubnet(options.bridgeSubnet)
    : old
      ? parseSubnet(old.subnet)
      : pickSubnet(routes, firstChoice(options.bridgeName));
  return {
    linkName: options.bridgeName,
    subnet: formatSubnet(subnet),
    gateway: formatAddress(defaultGateway(subnet)),
    range: null,
    auxiliary: {},
    mtu: null,
    interContainer: true,
    masquerade: true,
    defaultBindAddress: '0.0.0.0',
  };
}

/**
 * Engines side by side on one host make their bridges late, so the routes do not show them: they begin their
 * search at different places. People expect `docker0` to begin with the first.
 */
function firstChoice(bridgeName: string): number {
  if (bridgeName === defaultNetworkOptions.bridgeName) return 0;
  return createHash('sha256').update(bridgeName).digest().readUInt32LE();
}
