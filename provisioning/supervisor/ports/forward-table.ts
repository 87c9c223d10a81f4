import { setTimeout as delay } from 'node:timers/promises';
import { type Forward, type PortForwarder, PortUnavailable } from '../../../drivers/port-forwarder.ts';
import { innerPlaces, meet } from './inner-places.ts';
import { openRelay, type Relay } from './relays.ts';
import { SourcePorts } from './source-ports.ts';
import { difference, placeOf } from './wanted.ts';

export interface FailedForward {
  readonly forward: Forward;
  readonly error: PortUnavailable;
}

interface Relayed {
  readonly forward: Forward;
  /** The forwarder's, by which the relay reaches the machine; never none. */
  ways: readonly Forward[];
  /** As many as there can be. */
  mostWays: number;
  /** Being added. */
  widening: boolean;
  /** Runs out when it was not crowded for long. */
  quiet: NodeJS.Timeout | undefined;
  relay: Relay | null;
}

/** For who has just connected there to be let in before its listener goes. */
const settleMs = 100;
/** Each lets 80 connections a second through. */
const mostWays = 16;
const defaultQuietMs = 60_000;

export interface ForwardTableOptions {
  /** After so long without a crowd a relay has one way again. */
  readonly quietMs?: number;
}

/**
 * The only owner of what this computer forwards to one machine. What the machine's forwarder cannot do well (IPv6, many
 * connections at once) is relayed by this process, to a forward of the loopback.
 */
export class ForwardTable implements AsyncDisposable {
  readonly #forwarder: PortForwarder;
  #direct: readonly Forward[];
  #wanted: readonly Forward[] = [];
  readonly #relayed = new Map<string, Relayed>();
  readonly #sources = new SourcePorts();
  readonly #quietMs: number;
  /** What changes forwards, one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    forwarder: PortForwarder,
    there: readonly Forward[],
    { quietMs = defaultQuietMs }: ForwardTableOptions,
  ) {
    this.#forwarder = forwarder;
    this.#direct = there;
    this.#quietMs = quietMs;
  }

  /** Takes over what is there already: what is wanted of it is not interrupted. */
  static async open(forwarder: PortForwarder, options: ForwardTableOptions = {}): Promise<ForwardTable> {
    return new ForwardTable(forwarder, await forwarder.list(), options);
  }

  /**
   * Resolves when this computer listens at all that is wanted and at nothing else, but for what it could not. Throws what
   * the forwarder throws; what was done then is known.
   */
  become(wanted: readonly Forward[]): Promise<FailedForward[]> {
    return this.#inTurn(() => this.#become(wanted));
  }

  async #become(wanted: readonly Forward[]): Promise<FailedForward[]> {
    this.#wanted = wanted;
    const { ipv6, bursts } = this.#forwarder;
    const isRelayed = ({ protocol, hostAddress }: Forward) =>
      (hostAddress.includes(':') && !ipv6) || (protocol === 'tcp' && !bursts);
    const relays = difference(
      [...this.#relayed.values()].map(({ forward }) => forward),
      wanted.filter(isRelayed),
    );
    for (const forward of relays.remove) await this.#endRelay(forward);
    await this.#giveWay();
    const failed: FailedForward[] = [];
    const attempt = async (forward: Forward, work: () => Promise<void>) => {
      const error = await work().catch(orUnavailable);
      if (error) failed.push({ forward, error });
    };
    const inner = [...this.#relayed.values()].flatMap(({ ways }) => ways);
    const direct = difference(this.#direct, [...wanted.filter((forward) => !isRelayed(forward)), ...inner]);
    for (const forward of direct.remove) await this.#remove(forward);
    for (const forward of direct.add) await attempt(forward, () => this.#add(forward));
    for (const forward of relays.add) await attempt(forward, () => this.#relay(forward));
    return failed;
  }

  /** Ends the relays, which live in this process. Forwards are left as they are. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#relayed.values()].map((relayed) => this.#close(relayed)));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #add(forward: Forward): Promise<void> {
    await this.#forwarder.add(forward);
    this.#direct = [...this.#direct, forward];
  }

  async #remove(forward: Forward): Promise<void> {
    await this.#forwarder.remove(forward);
    this.#direct = this.#direct.filter((other) => other !== forward);
  }

  async #relay(forward: Forward): Promise<void> {
    const ways = [await this.#addInner(forward)];
    const relayed: Relayed = { forward, ways, mostWays, widening: false, quiet: undefined, relay: null };
    try {
      relayed.relay = await openRelay(forward, {
        ways: () => relayed.ways,
        crowded: () => this.#crowded(relayed),
        sources: this.#sources,
      });
      this.#relayed.set(placeOf(forward), relayed);
    } catch (error) {
      for (const way of relayed.ways) await this.#remove(way);
      throw error;
    }
  }

  /** More connections wait at a relay than its ways let in soon. */
  #crowded(relayed: Relayed): void {
    relayed.quiet ??= setTimeout(() => this.#quiet(relayed), this.#quietMs).unref();
    relayed.quiet.refresh();
    if (relayed.widening || relayed.ways.length >= relayed.mostWays) return;
    relayed.widening = true;
    void this.#inTurn(() => this.#widen(relayed))
      // What this computer or the machine cannot do is not asked of it all the time.
      .catch(() => Object.assign(relayed, { mostWays: relayed.ways.length }))
      .finally(() => {
        relayed.widening = false;
        relayed.relay?.admit();
      });
  }

  /** Twice as many. Others have their turn before the next. */
  async #widen(relayed: Relayed): Promise<void> {
    const most = Math.min(2 * relayed.ways.length, relayed.mostWays);
    while (relayed.ways.length < most && this.#isThere(relayed)) {
      const way = await this.#addInner(relayed.forward);
      relayed.ways = [...relayed.ways, way];
    }
  }

  #quiet(relayed: Relayed): void {
    void this.#inTurn(async () => {
      const [first, ...others] = relayed.ways;
      if (!this.#isThere(relayed) || others.length === 0) return;
      if (others.some((way) => relayed.relay?.isUsed(way))) return void relayed.quiet?.refresh();
      Object.assign(relayed, { ways: [first], mostWays });
      await delay(settleMs);
      for (const way of others) await this.#remove(way);
    }).catch(() => {});
  }

  /** What relays alone know is no one's promise: it goes where nobody asks for its place. Open connections stay. */
  async #giveWay(): Promise<void> {
    const gone: Forward[] = [];
    for (const relayed of this.#relayed.values()) {
      const inTheWay = relayed.ways.filter((way) => this.#wanted.some((other) => meet(other, way)));
      if (inTheWay.length === 0) continue;
      let rest = relayed.ways.filter((way) => !inTheWay.includes(way));
      if (rest.length === 0) {
        const other = await this.#addInner(relayed.forward).catch(orUnavailable);
        // Then who asks is told that it is taken.
        if (other instanceof PortUnavailable) continue;
        rest = [other];
      }
      relayed.ways = rest;
      gone.push(...inTheWay);
    }
    if (gone.length > 0) await delay(settleMs);
    for (const way of gone) await this.#remove(way);
  }

  async #addInner(forward: Forward): Promise<Forward> {
    const { protocol, guestPort } = forward;
    let unavailable = new PortUnavailable(forward, 'EADDRINUSE');
    for (const place of innerPlaces(protocol)) {
      if (this.#wanted.some((other) => meet(other, place))) continue;
      const inner = { ...place, guestPort };
      const error = await this.#add(inner).catch(orUnavailable);
      if (!error) return inner;
      unavailable = error;
    }
    throw unavailable;
  }

  async #endRelay(forward: Forward): Promise<void> {
    const relayed = this.#relayed.get(placeOf(forward));
    if (relayed) await this.#close(relayed);
  }

  #isThere(relayed: Relayed): boolean {
    return this.#relayed.get(placeOf(relayed.forward)) === relayed;
  }

  async #close(relayed: Relayed): Promise<void> {
    this.#relayed.delete(placeOf(relayed.forward));
    clearTimeout(relayed.quiet);
    await relayed.relay?.close();
  }
}

function orUnavailable(error: unknown): PortUnavailable {
  if (error instanceof PortUnavailable) return error;
  throw error;
}
