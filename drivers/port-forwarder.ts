import { MachineError } from './errors.ts';

/** A port of this computer that leads to one of a machine's own address. */
export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  /** Of this computer; `0.0.0.0` and `::` are all of a kind. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/**
 * Makes ports of this computer lead to a machine. It carries the traffic by itself: forwards stay, and work, when their
 * maker is gone. Given back by disposing of it, which removes no forward.
 */
export interface PortForwarder extends AsyncDisposable {
  /** Whether it can listen at IPv6 addresses. */
  readonly ipv6: boolean;
  /** Whether many TCP connections may come at the same time. */
  readonly bursts: boolean;
  /** All that are there, also those of a maker before this one; not those by which the driver itself reaches the machine. */
  list(): Promise<readonly Forward[]>;
  /** Resolves when this computer listens there. Throws PortUnavailable, and Unavailable when the machine is gone. */
  add(forward: Forward): Promise<void>;
  /** Open connections stay. Idempotent. Throws Unavailable when the machine is gone. */
  remove(forward: Forward): Promise<void>;
}

/** This computer cannot listen there; `code` is the system's, such as EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export class PortUnavailable extends MachineError {
  readonly code: string;
  constructor({ protocol, hostAddress, hostPort }: Forward, code: string) {
    super(`this computer cannot listen at ${hostAddress} port ${hostPort}/${protocol}: ${code}`);
    this.code = code;
  }
}
