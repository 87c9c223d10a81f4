import { lookup, lookupService } from 'node:dns/promises';

/** Threads do them, a few at a time; what waits for those is bounded. */
const mostUnderWay = 128;

/** `unknown`: there is no such name, or address. `failed`: that cannot be said now. */
export type Found<Value> = readonly Value[] | 'unknown' | 'failed';

/** How this computer's own programs resolve names. */
export interface SystemResolver {
  addresses(name: string): Promise<Found<string>>;
  /** Of an address. */
  names(address: string): Promise<Found<string>>;
}

/**
 * By `getaddrinfo` and `getnameinfo`: the hosts file, name service switches, resolvers of single domains and policies
 * count. The same question twice at once is asked once; nothing is remembered.
 *
 * Both kinds of addresses are asked for together: an error for one kind alone does not say whether the name exists, and
 * clients that hear that it does not for AAAA believe it for A.
 */
export class SystemLookups implements SystemResolver {
  readonly #underWay = new Map<string, Promise<Found<string>>>();

  addresses(name: string): Promise<Found<string>> {
    return this.#shared(`name ${name}`, async () => {
      const found = await lookup(name, { all: true, verbatim: true, family: 0, hints: 0 });
      return [...new Set(found.map(({ address }) => address))];
    });
  }

  names(address: string): Promise<Found<string>> {
    return this.#shared(`address ${address}`, async () => [(await lookupService(address, 0)).hostname]);
  }

  #shared(key: string, ask: () => Promise<string[]>): Promise<Found<string>> {
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    if (this.#underWay.size >= mostUnderWay) return Promise.resolve('failed');
    const asking = ask()
      .catch((error: NodeJS.ErrnoException) => (error.code === 'ENOTFOUND' ? 'unknown' : 'failed'))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asking);
    return asking;
  }
}
