import { type Forward, type PortForwarder, PortUnavailable } from '../../../../drivers/port-forwarder.ts';
import { placeOf } from '../../../../provisioning/supervisor/ports/wanted.ts';

/** A forwarder that only remembers, and says no where it is told to. */
export class MemoryForwarder implements PortForwarder {
  readonly ipv6 = false;
  readonly bursts: boolean = true;
  readonly there = new Map<string, Forward>();
  /** What was done, such as `add tcp 127.0.0.1 8080`. */
  readonly done: string[] = [];
  /** The system's code by host port. */
  readonly refused = new Map<number, string>();

  async list(): Promise<Forward[]> {
    return [...this.there.values()];
  }

  async add(forward: Forward): Promise<void> {
    const code = this.there.has(placeOf(forward)) ? 'EADDRINUSE' : this.refused.get(forward.hostPort);
    if (code !== undefined) throw new PortUnavailable(forward, code);
    this.there.set(placeOf(forward), forward);
    this.done.push(`add ${placeOf(forward)}`);
  }

  async remove(forward: Forward): Promise<void> {
    this.there.delete(placeOf(forward));
    this.done.push(`remove ${placeOf(forward)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
