import { Conflict, Forbidden, InvalidParameter, NotFound } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { parseSubnet } from '../../ip.ts';
import { isPredefined, type NetworkRecord, poolsOf } from '../network.ts';
import { type AddressRequest, addressSettings, type HostNetwork } from './address-settings.ts';
import { bridgeOptions } from './bridge-options.ts';
import { parentOptions } from './parent-options.ts';
import { TakenOptions } from './taken-options.ts';

/** A network as a user asks for it. */
export interface NetworkRequest extends AddressRequest {
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Makes the record of a user-defined network. `networks`: those that are there; `host`: what else
 * it can reach, and its links. Throws InvalidParameter, NotFound (driver), Conflict or Forbidden.
 */
export function newNetwork(
  request: NetworkRequest,
  networks: readonly NetworkRecord[],
  host: HostNetwork & { readonly links: ReadonlySet<string> },
): NetworkRecord {
  const { name, driver } = request;
  if (name.trim() === '') throw new InvalidParameter(`invalid name: ${name}`);
  if (isPredefined(name) || name === 'default')
    throw new Forbidden(`operation is not permitted on predefined ${name} network`);
  if (networks.some((network) => network.name === name)) {
    throw new Conflict(`network with name ${name} already exists`);
  }
  if (driver === 'host' || driver === 'null') {
    throw new Forbidden(`only one instance of "${driver}" network is allowed`);
  }
  if (driver !== 'bridge' && driver !== 'macvlan' && driver !== 'ipvlan')
    throw new NotFound(
      `plugin ${JSON.stringify(driver)} not found; this engine has the drivers bridge, macvlan and ipvlan`,
    );
  const id = newId();
  const options = new TakenOptions(request.options);
  const common = {
    mtu: options.integer('com.docker.network.driver.mtu', { least: 68, most: 65535 }),
    interfacePrefix:
      options.text('com.docker.network.container_iface_prefix', /^[a-zA-Z][a-zA-Z0-9_]{0,9}$/) ?? 'eth',
  };
  const bridge = driver === 'bridge' ? bridgeOptions(options, `br-${id.slice(0, 12)}`, host.links) : null;
  const parent =
    driver === 'bridge'
      ? null
      : parentOptions(driver, options, { dummyName: `dm-${id.slice(0, 12)}`, links: host.links });
  options.assertEmpty();
  if (bridge && networks.some((network) => network.bridge?.linkName === bridge.linkName)) {
    throw new Conflict(`a network with the bridge ${bridge.linkName} already exists`);
  }
  const taken = networks.flatMap((network) => poolsOf(network).map(({ subnet }) => parseSubnet(subnet)));
  return {
    id,
    name,
    driver,
    createdAt: new Date().toISOString(),
    ...addressSettings(request, taken, host),
    bridge,
    parent,
    ...common,
    // Where no link of the host is the parent, nothing leads out.
    internal: request.internal || parent?.own === 'dummy',
    attachable: request.attachable,
    labels: request.labels,
    options: request.options,
  };
}
