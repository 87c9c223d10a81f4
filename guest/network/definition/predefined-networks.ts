import { newId } from '../../ids.ts';
import { formatAddress, formatSubnet, parseSubnet, type Subnet } from '../../ip.ts';
import { defaultGateway } from '../addressing/ipam.ts';
import { pickSubnet } from '../addressing/pools.ts';
import { type AddressPool, type BridgeSettings, type NetworkRecord, predefinedNetworks } from '../network.ts';
import { firstPool, type NetworkOptions } from '../network-options.ts';
import type { NetworkRecords } from '../network-records.ts';

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
    const isBridge = name === 'bridge';
    const bridge = isBridge ? defaultBridge(options) : null;
    const ipv4 = isBridge ? defaultPool(options, old?.ipv4 ?? null, routes) : null;
    const record = { ...(old ?? newRecord(name)), bridge, ipv4 };
    if (JSON.stringify(old) !== JSON.stringify(record)) records.saveNetwork(record);
  }
}

function newRecord(name: (typeof predefinedNetworks)[number]): NetworkRecord {
  return {
    id: newId(),
    name,
    driver: name === 'none' ? 'null' : name,
    createdAt: new Date().toISOString(),
    ipv4: null,
    ipv6: null,
    bridge: null,
    parent: null,
    mtu: null,
    interfacePrefix: 'eth',
    internal: false,
    attachable: false,
    labels: {},
    options: {},
  };
}

function defaultPool(
  options: NetworkOptions,
  old: AddressPool | null,
  routes: readonly Subnet[],
): AddressPool {
  const subnet = options.bridgeSubnet
    ? parseSubnet(options.bridgeSubnet)
    : old
      ? parseSubnet(old.subnet)
      : pickSubnet(routes, firstPool(options));
  return {
    subnet: formatSubnet(subnet),
    gateway: formatAddress(defaultGateway(subnet)),
    range: null,
    auxiliary: {},
  };
}

function defaultBridge({ bridgeName }: NetworkOptions): BridgeSettings {
  return {
    linkName: bridgeName,
    foreign: false,
    interContainer: true,
    masquerade: true,
    defaultBindAddress: null,
    gatewayMode: { 4: 'nat', 6: 'nat' },
  };
}
