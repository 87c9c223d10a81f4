import { setTimeout as delay } from 'node:timers/promises';
import { type Forward, type PortForwarder, PortUnavailable } from '../../../drivers/port-forwarder.ts';
import { innerPlaces, meet } from './inner-places.ts';
import { type CloseRelay, openRelay } from './relays.ts';
import { difference, placeOf } from './wanted.ts';

export interface FailedForward {
  readonly forward: Forward;
  readonly error: PortUnavailable;
}

interface Relayed {
  readonly forward: Forward;
  /** The forwarder's, by which the relay reaches the machine. */
  inner: Forward;
  readonly close: CloseRelay;
}

/** For who has just connected there to be let in before its listener goes. */
const settleMs = 100;

/**
 * The only owner of what this computer forwards to one machine. What the machine's forwarder cannot do well (IPv6, many
 * connections at once) is relayed by this process, to a forward of the loopback.
 */
export class ForwardTable implements AsyncDisposable {
  readonly #forwarder: PortForwarder;
  #direct: readonly Forward[];
  readonly #relayed = new Map<string, Relayed>();

  private constructor(forwarder: PortForwarder, there: readonly Forward[]) {
    this.#forwarder = forwarder;
    this.#direct = there;
  }

  /** Takes over what is there already: what is wanted of it is not interrupted. */
  static async open(forwarder: PortForwarder): Promise<ForwardTable> {
    return new ForwardTable(forwarder, await forwarder.list());
  }

  /**
   * Resolves when this computer listens at all that is wanted and at nothing else, but for what it could not. One call
   * at a time. Throws what the forwarder throws; what was done then is known.
   */
  async become(wanted: readonly Forward[]): Promise<FailedForward[]> {
    const { ipv6, bursts } = this.#forwarder;
    const isRelayed = ({ protocol, hostAddress }: Forward) =>
      (hostAddress.includes(':') && !ipv6) || (protocol === 'tcp' && !bursts);
    const relays = difference(
      [...this.#relayed.values()].map(({ forward }) => forward),
      wanted.filter(isRelayed),
    );
    for (const forward of relays.remove) await this.#endRelay(forward);
    await this.#giveWay(wanted);
    const failed: FailedForward[] = [];
    const attempt = async (forward: Forward, work: () => Promise<void>) => {
      const error = await work().catch(orUnavailable);
      if (error) failed.push({ forward, error });
    };
    const inner = [...this.#relayed.values()].map((relayed) => relayed.inner);
    const direct = difference(this.#direct, [...wanted.filter((forward) => !isRelayed(forward)), ...inner]);
    for (const forward of direct.remove) await this.#remove(forward);
    for (const forward of direct.add) await attempt(forward, () => this.#add(forward));
    for (const forward of relays.add) await attempt(forward, () => this.#relay(forward, wanted));
    return failed;
  }

  /** Ends the relays, which live in this process. Forwards are left as they are. */
  async [Symbol.asyncDispose](): Promise<void> {
    const relayed = [...this.#relayed.values()];
    this.#relayed.clear();
    await Promise.all(relayed.map(({ close }) => close()));
  }

  async #add(forward: Forward): Promise<void> {
    await this.#forwarder.add(forward);
    this.#direct = [...this.#direct, forward];
  }

  async #remove(forward: Forward): Promise<void> {
    await this.#forwarder.remove(forward);
    this.#direct = this.#direct.filter((other) => other !== forward);
  }

  async #relay(forward: Forward, wanted: readonly Forward[]): Promise<void> {
    const relayed = { forward, inner: await this.#addInner(forward, wanted), close: async () => {} };
    try {
      const close = await openRelay(forward, () => relayed.inner);
      this.#relayed.set(placeOf(forward), Object.assign(relayed, { close }));
    } catch (error) {
      await this.#remove(relayed.inner);
      throw error;
    }
  }

  /** What relays alone know is no one's promise: it goes where nobody asks for its place. Open connections stay. */
  async #giveWay(wanted: readonly Forward[]): Promise<void> {
    for (const relayed of this.#relayed.values()) {
      const { forward, inner } = relayed;
      if (!wanted.some((other) => meet(other, inner))) continue;
      const other = await this.#addInner(forward, wanted).catch(orUnavailable);
      // Then who asks is told that it is taken.
      if (other instanceof PortUnavailable) continue;
      relayed.inner = other;
      await delay(settleMs);
      await this.#remove(inner);
    }
  }

  async #addInner(forward: Forward, wanted: readonly Forward[]): Promise<Forward> {
    const { protocol, guestPort } = forward;
    let unavailable = new PortUnavailable(forward, 'EADDRINUSE');
    for (const place of innerPlaces(protocol)) {
      if (wanted.some((other) => meet(other, place))) continue;
      const inner = { ...place, guestPort };
      const error = await this.#add(inner).catch(orUnavailable);
      if (!error) return inner;
      unavailable = error;
    }
    throw unavailable;
  }

  async #endRelay(forward: Forward): Promise<void> {
    const relayed = this.#relayed.get(placeOf(forward));
    if (!relayed) return;
    await relayed.close();
    this.#relayed.delete(placeOf(forward));
  }
}

function orUnavailable(error: unknown): PortUnavailable {
  if (error instanceof PortUnavailable) return error;
  throw error;
}
