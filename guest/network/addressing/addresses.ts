import { InvalidParameter } from '../../errors.ts';
import { type Address, addressOrThrow, type Family, formatAddress, parseSubnet } from '../../ip.ts';
import type { EndpointAddress } from '../endpoint.ts';
import { addressOf } from '../endpoint.ts';
import type { AddressPool, NetworkRecord } from '../network.ts';
import type { NetworkRecords } from '../network-records.ts';
import { assertAssignable, nextAddress } from './ipam.ts';

/** What an endpoint has in a network; null for a family the network does not have. */
export type EndpointAddresses = Readonly<Record<Family, EndpointAddress | null>>;

/**
 * Gives out addresses: taken is what an endpoint's record says, and what is reserved here until its record
 * is written.
 */
export class Addresses {
  readonly #records: NetworkRecords;
  readonly #reserved = new Set<string>();
  readonly #last = new Map<string, bigint>();

  constructor(records: NetworkRecords) {
    this.#records = records;
  }

  /**
   * Reserves one address of each family that the network has: those asked for, or the next. Throws
   * InvalidParameter for a wrong address, Conflict when it is taken or none is left; then nothing is reserved.
   */
  reserve(network: NetworkRecord, asked: Readonly<Partial<Record<Family, string>>> = {}): EndpointAddresses {
    const first = this.#reserve(network, 4, asked[4]);
    try {
      return { 4: first, 6: this.#reserve(network, 6, asked[6]) };
    } catch (error) {
      this.settle(network, { 4: first, 6: null });
      throw error;
    }
  }

  /** The record is written, or the addresses are not wanted. Idempotent. */
  settle({ id }: NetworkRecord, addresses: EndpointAddresses): void {
    for (const given of [addresses[4], addresses[6]]) {
      if (given) this.#reserved.delete(`${id} ${given.address}`);
    }
  }

  #reserve(network: NetworkRecord, family: Family, asked: string | undefined): EndpointAddress | null {
    const pool = family === 4 ? network.ipv4 : network.ipv6;
    if (!pool) {
      if (asked) throw new InvalidParameter(`network "${network.name}" has no IPv${family} addresses`);
      return null;
    }
    const subnet = parseSubnet(pool.subnet);
    const taken = this.#taken(network, pool, family);
    let address: Address;
    if (asked) {
      address = addressOrThrow(asked);
      assertAssignable(address, subnet, taken);
    } else {
      const key = `${network.id} ${family}`;
      const range = pool.range === null ? subnet : parseSubnet(pool.range);
      address = nextAddress({ range, subnet, last: this.#last.get(key) ?? null, taken });
      this.#last.set(key, address.value);
    }
    const text = formatAddress(address);
    this.#reserved.add(`${network.id} ${text}`);
    return {
      address: text,
      prefixLength: subnet.bits,
      gateway: network.internal ? null : pool.gateway,
      publishing: publishing(network, family),
    };
  }

  #taken({ id }: NetworkRecord, pool: AddressPool, family: Family): Set<bigint> {
    const reserved = [...this.#reserved].map((key) => key.split(' '));
    const texts = [
      pool.gateway,
      ...Object.values(pool.auxiliary),
      ...this.#records
        .endpointsOfNetwork(id)
        .flatMap((endpoint) => addressOf(endpoint, family)?.address ?? []),
      ...reserved.filter(([network]) => network === id).map(([, address]) => address!),
    ];
    return new Set(texts.map((text) => addressOrThrow(text).value));
  }
}

function publishing({ bridge }: NetworkRecord, family: Family): EndpointAddress['publishing'] {
  if (!bridge) return 'none';
  return bridge.gatewayMode[family] === 'routed' ? 'routed' : 'nat';
}
