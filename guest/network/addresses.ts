import { randomBytes } from 'node:crypto';
import { Forbidden, InvalidParameter } from '../errors.ts';
import type { BridgeNetwork } from './bridge.ts';
import type { EndpointLink } from './endpoint.ts';
import { assertAssignable, macAddress, nextAddress } from './ipam.ts';
import { formatAddress, parseAddress, parseSubnet } from './ipv4.ts';
import type { NetworkRecords } from './network-records.ts';

/**
 * Gives out addresses: taken is what an endpoint's record says, and what is reserved here until its record
 * is written.
 */
export class Addresses {
  readonly #records: NetworkRecords;
  readonly #reserved = new Map<string, Set<number>>();
  readonly #last = new Map<string, number>();

  constructor(records: NetworkRecords) {
    this.#records = records;
  }

  /**
   * Reserves an address and names the link. Throws InvalidParameter for a wrong address or MAC, Conflict
   * when it is taken or none is left.
   */
  reserve(
    network: BridgeNetwork,
    asked: { readonly address?: string | undefined; readonly macAddress?: string | undefined } = {},
  ): EndpointLink {
    const { bridge, id } = network;
    const subnet = parseSubnet(bridge.subnet);
    const taken = this.#taken(network);
    let address: number;
    if (asked.address) {
      address = parseOrThrow(asked.address);
      assertAssignable(address, subnet, taken);
    } else {
      const range = bridge.range === null ? subnet : parseSubnet(bridge.range);
      address = nextAddress({ range, subnet, last: this.#last.get(id) ?? null, taken });
      this.#last.set(id, address);
    }
    this.#reservations(id).add(address);
    return {
      hostName: `veth${randomBytes(4).toString('hex').slice(0, 7)}`,
      address: formatAddress(address),
      prefixLength: subnet.bits,
      gateway: bridge.gateway,
      macAddress: asked.macAddress ? checkedMac(asked.macAddress) : macAddress(address),
    };
  }

  /** The record is written, or the address is not wanted. Idempotent. */
  settle(network: BridgeNetwork, link: EndpointLink): void {
    this.#reservations(network.id).delete(parseOrThrow(link.address));
  }

  #reservations(networkId: string): Set<number> {
    const reserved = this.#reserved.get(networkId) ?? new Set();
    this.#reserved.set(networkId, reserved);
    return reserved;
  }

  #taken({ id, bridge }: BridgeNetwork): Set<number> {
    const texts = [
      bridge.gateway,
      ...Object.values(bridge.auxiliary),
      ...this.#records.endpointsOfNetwork(id).flatMap((endpoint) => endpoint.link?.address ?? []),
    ];
    return new Set([...texts.map(parseOrThrow), ...this.#reservations(id)]);
  }
}

function parseOrThrow(text: string): number {
  const address = parseAddress(text);
  if (address === null) throw new InvalidParameter(`invalid IPv4 address: "${text}"`);
  return address;
}

/** Unicast, in the form that `ip` takes. */
function checkedMac(text: string): string {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    throw new InvalidParameter(`invalid MAC address: "${text}"`);
  }
  if (Number.parseInt(text.slice(0, 2), 16) & 1)
    throw new Forbidden(`MAC address "${text}" is a multicast address`);
  return text.toLowerCase().replaceAll('-', ':');
}
