import { type Forward, type PortForwarder, PortUnavailable } from '../../../drivers/port-forwarder.ts';
import { type CloseRelay, openRelay } from './relays.ts';
import { difference, placeOf } from './wanted.ts';

export interface FailedForward {
  readonly forward: Forward;
  readonly error: PortUnavailable;
}

interface Relayed {
  readonly forward: Forward;
  /** The forwarder's, by which the relay reaches the machine. */
  readonly inner: Forward;
  readonly close: CloseRelay;
}

/** Where the relays' own forwards listen: below what systems hand out, and seldom asked for. */
const innerPorts = { first: 20_000, last: 32_767 };
const mostTries = 20;

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
    const inner = [...this.#relayed.values()].map((relayed) => relayed.inner);
    const direct = difference(this.#direct, [...wanted.filter((forward) => !isRelayed(forward)), ...inner]);
    for (const forward of direct.remove) await this.#remove(forward);
    const failed: FailedForward[] = [];
    const attempt = async (forward: Forward, work: (forward: Forward) => Promise<void>) => {
      try {
        await work(forward);
      } catch (error) {
        if (!(error instanceof PortUnavailable)) throw error;
        failed.push({ forward, error });
      }
    };
    for (const forward of direct.add) await attempt(forward, (forward) => this.#add(forward));
    for (const forward of relays.add) await attempt(forward, (forward) => this.#relay(forward));
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

  async #relay(forward: Forward): Promise<void> {
    const inner = await this.#addInner(forward);
    try {
      const close = await openRelay(forward, inner.hostPort);
      this.#relayed.set(placeOf(forward), { forward, inner, close });
    } catch (error) {
      await this.#remove(inner);
      throw error;
    }
  }

  async #addInner({ protocol, guestPort }: Forward): Promise<Forward> {
    for (let tries = 1; ; tries++) {
      const hostPort =
        innerPorts.first + Math.floor(Math.random() * (innerPorts.last + 1 - innerPorts.first));
      const inner = { protocol, hostAddress: '127.0.0.1', hostPort, guestPort };
      try {
        await this.#add(inner);
        return inner;
      } catch (error) {
        if (!(error instanceof PortUnavailable) || tries === mostTries) throw error;
      }
    }
  }

  async #endRelay(forward: Forward): Promise<void> {
    const relayed = this.#relayed.get(placeOf(forward));
    if (!relayed) return;
    await relayed.close();
    this.#relayed.delete(placeOf(forward));
  }
}
