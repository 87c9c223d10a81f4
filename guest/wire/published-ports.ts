/**
 * What `GET /machine/ports` of the agent answers: a stream of JSON lines, each of them all ports that
 * containers publish at that moment. The first comes at once, another after each change; who missed some
 * needs the last only.
 */
export interface PublishedPorts {
  readonly published: readonly PublishedPortNotice[];
}

export interface PublishedPortNotice {
  readonly containerId: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** As the user asked for it, on the host; `0.0.0.0` and `::` are all of a kind. */
  readonly hostAddress: string;
  readonly hostPort: number;
  /** The port of the guest's own address that leads there, for the host that forwards. */
  readonly guestPort: number;
}
