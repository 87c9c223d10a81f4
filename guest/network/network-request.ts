import { isIP } from 'node:net';
import { Conflict, Forbidden, InvalidParameter, NotFound } from '../errors.ts';
import { newId } from '../ids.ts';
import { assertAssignable, assertFree, defaultGateway, pickSubnet } from './ipam.ts';
import { contains, formatAddress, formatSubnet, parseAddress, parseSubnet, type Subnet } from './ipv4.ts';
import { type BridgeSettings, isPredefined, type NetworkRecord } from './network.ts';

/** A network as a user asks for it. */
export interface NetworkRequest {
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** At most one. */
  readonly addressing: readonly {
    readonly subnet?: string | undefined;
    readonly range?: string | undefined;
    readonly gateway?: string | undefined;
    readonly auxiliary: Readonly<Record<string, string>>;
  }[];
}

/**
 * Makes the record of a user-defined bridge network. `networks`: those that are there; `routes`: what else
 * the host can reach. Throws InvalidParameter, NotFound (driver), Conflict or Forbidden.
 */
export function newNetwork(
  request: NetworkRequest,
  networks: readonly NetworkRecord[],
  routes: readonly Subnet[],
): NetworkRecord {
  const { name, driver } = request;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    throw new InvalidParameter(`invalid network name: "${name}"`);
  if (isPredefined(name)) throw new Forbidden(`operation is not permitted on predefined ${name} network`);
  if (networks.some((network) => network.name === name)) {
    throw new Conflict(`network with name ${name} already exists`);
  }
  if (driver === 'host' || driver === 'null') {
    throw new Forbidden(`only one instance of "${driver}" network is allowed`);
  }
  if (driver !== 'bridge')
    throw new NotFound(
      `could not find plugin ${driver} in v2 plugin registry; this engine has the driver bridge`,
    );
  if (request.addressing.length > 1) throw new InvalidParameter('a network has one subnet in this engine');
  const id = newId();
  const taken = networks.flatMap(({ bridge }) => (bridge ? [parseSubnet(bridge.subnet)] : []));
  const bridge: BridgeSettings = {
    ...optionSettings(request.options, `br-${id.slice(0, 12)}`),
    ...addressSettings(request.addressing[0] ?? { auxiliary: {} }, taken, routes),
  };
  if (networks.some((network) => network.bridge?.linkName === bridge.linkName)) {
    throw new Conflict(`a network with the bridge ${bridge.linkName} already exists`);
  }
  const { internal, attachable, labels, options } = request;
  return {
    id,
    name,
    driver,
    createdAt: new Date().toISOString(),
    bridge,
    internal,
    attachable,
    labels,
    options,
  };
}

function addressSettings(
  asked: NetworkRequest['addressing'][number],
  taken: readonly Subnet[],
  routes: readonly Subnet[],
): Pick<BridgeSettings, 'subnet' | 'gateway' | 'range' | 'auxiliary'> {
  if (!asked.subnet && (asked.gateway || asked.range)) {
    throw new InvalidParameter('a gateway or a range needs a subnet');
  }
  const subnet = asked.subnet ? parseSubnet(asked.subnet) : pickSubnet([...taken, ...routes]);
  assertFree(subnet, taken);
  if (subnet.bits > 30)
    throw new InvalidParameter(`subnet ${formatSubnet(subnet)} has no room for containers`);
  const gateway = asked.gateway ? parseAddress(asked.gateway) : defaultGateway(subnet);
  if (gateway === null) throw new InvalidParameter(`invalid gateway address: "${asked.gateway}"`);
  assertAssignable(gateway, subnet, new Set());
  const range = asked.range ? parseSubnet(asked.range) : null;
  if (range && !(contains(subnet, range.base) && range.bits >= subnet.bits)) {
    throw new InvalidParameter(`range ${formatSubnet(range)} is not in subnet ${formatSubnet(subnet)}`);
  }
  for (const text of Object.values(asked.auxiliary)) {
    const address = parseAddress(text);
    if (address === null) throw new InvalidParameter(`invalid auxiliary address: "${text}"`);
    assertAssignable(address, subnet, new Set([gateway]));
  }
  return {
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gateway),
    range: range && formatSubnet(range),
    auxiliary: asked.auxiliary,
  };
}

const prefix = 'com.docker.network';

function optionSettings(
  options: Readonly<Record<string, string>>,
  ownName: string,
): Pick<BridgeSettings, 'linkName' | 'mtu' | 'interContainer' | 'masquerade' | 'defaultBindAddress'> {
  let settings = {
    linkName: ownName,
    mtu: null as number | null,
    interContainer: true,
    masquerade: true,
    defaultBindAddress: '0.0.0.0',
  };
  for (const [name, value] of Object.entries(options)) {
    const wrong = () => new InvalidParameter(`invalid value "${value}" of network option ${name}`);
    const truth = () => {
      if (/^(1|t|true)$/i.test(value)) return true;
      if (/^(0|f|false)$/i.test(value)) return false;
      throw wrong();
    };
    switch (name) {
      case `${prefix}.bridge.name`:
        // What a link may be called (linux/if.h), and ip and nft take as one word.
        if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/.test(value)) throw wrong();
        settings = { ...settings, linkName: value };
        break;
      case `${prefix}.driver.mtu`:
        if (!/^\d{2,5}$/.test(value) || Number(value) < 68 || Number(value) > 65535) throw wrong();
        settings = { ...settings, mtu: Number(value) };
        break;
      case `${prefix}.bridge.enable_icc`:
        settings = { ...settings, interContainer: truth() };
        break;
      case `${prefix}.bridge.enable_ip_masquerade`:
        settings = { ...settings, masquerade: truth() };
        break;
      case `${prefix}.bridge.host_binding_ipv4`:
        if (isIP(value) !== 4) throw wrong();
        settings = { ...settings, defaultBindAddress: value };
        break;
      default:
        throw new InvalidParameter(`unknown network option "${name}"`);
    }
  }
  return settings;
}
