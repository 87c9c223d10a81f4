/**
 * `GET /machine/ports` of the agent is a stream of JSON lines, each of them all ports that containers publish at that
 * moment. The first comes at once, another after each change; who missed some needs the last only.
 *
 * Who asks with `Upgrade: machine-ports` ({@link portsProtocol}) is the host in front: it makes each state true and
 * answers it with one JSON line ({@link PortsAnswer}) on the same connection; the next state comes after the answer. A
 * container does not start before its ports are answered for. There is one such host: a newer one ends the older
 * one's connection.
 */
export interface PublishedPorts {
  /** Of this state; a later state has a higher one. */
  readonly serial: number;
  readonly published: readonly PublishedPortNotice[];
}

export interface PublishedPortNotice {
  readonly containerId: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** Where the host listens; `0.0.0.0` and `::` are all of a kind. Its loopback when the user asked for none. */
  readonly hostAddress: string;
  readonly hostPort: number;
  /** The port of the guest's own address that leads there, for the host that forwards. */
  readonly guestPort: number;
}

export const portsProtocol = 'machine-ports';

export interface PortsAnswer {
  /** Of the state that is true on the host now, but for `failed`. */
  readonly serial: number;
  readonly failed: readonly PortFailure[];
}

export interface PortFailure {
  readonly protocol: PublishedPortNotice['protocol'];
  readonly hostAddress: string;
  readonly hostPort: number;
  /** Somebody has this port: another one may be free. */
  readonly taken: boolean;
  /** For people; begins as dockerd's message for it does. */
  readonly message: string;
}
