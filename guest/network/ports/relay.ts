import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { familyOf } from '../../ip.ts';

/** Where in a container a published port leads. */
export interface RelayTarget {
  readonly address: string;
  readonly port: number;
}

/** How long a UDP client may be silent before its way back is forgotten; as netfilter's for a stream. */
const idleMs = 120_000;
/** At once and port; a further client's first datagrams are lost, as in a full queue. */
const mostClients = 1024;

/**
 * Carries a connection's bytes to a container: for what the kernel's rules cannot, which are connections
 * from IPv6's loopback, and those by IPv6 to a container that has IPv4 only.
 */
export function relayConnection(client: Socket, { address, port }: RelayTarget): void {
  const inside = connect({ host: address, port, allowHalfOpen: true });
  const end = () => {
    client.destroy();
    inside.destroy();
  };
  client.on('error', end).on('close', end);
  inside.on('error', end).on('close', end);
  client.pipe(inside).pipe(client);
}

/** The same for the datagrams that reach `socket`; `target` is asked for each client anew. */
export function relayDatagrams(socket: UdpSocket, target: () => RelayTarget | null): void {
  const clients = new Map<string, { readonly inside: UdpSocket; readonly idle: NodeJS.Timeout }>();
  const open = (to: RelayTarget, from: { address: string; port: number }) => {
    const key = `${from.address} ${from.port}`;
    const inside = createSocket(familyOf(to.address) === 6 ? 'udp6' : 'udp4').unref();
    const close = () => {
      if (!clients.delete(key)) return;
      clearTimeout(idle);
      inside.close();
    };
    const idle = setTimeout(close, idleMs).unref();
    inside.on('error', close);
    inside.on('message', (answer) => {
      idle.refresh();
      socket.send(answer, from.port, from.address, () => {});
    });
    socket.once('close', close);
    const client = { inside, idle };
    clients.set(key, client);
    return client;
  };
  socket.setMaxListeners(mostClients + 10);
  socket.on('message', (message, from) => {
    const to = target();
    const known = clients.get(`${from.address} ${from.port}`);
    if (!to || (!known && clients.size >= mostClients)) return;
    const { inside, idle } = known ?? open(to, from);
    idle.refresh();
    inside.send(message, to.port, to.address, () => {});
  });
}
