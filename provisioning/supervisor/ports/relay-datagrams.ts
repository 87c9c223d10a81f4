import { createSocket, type Socket } from 'node:dgram';
import type { Inside } from './inner-places.ts';

/** How long a client may be silent before its way back is forgotten; as netfilter's for a stream. */
const defaultIdleMs = 120_000;
/** At once and port; a further client's first datagrams are lost, as in a full queue. */
const mostClients = 1024;

interface Client {
  readonly inside: Socket;
  readonly idle: NodeJS.Timeout;
}

/** Carries datagrams to an IPv4 address, a socket for each client, and answers back. Returns what ends it. */
export function relayDatagrams(
  socket: Socket,
  to: Inside,
  { idleMs = defaultIdleMs }: { readonly idleMs?: number } = {},
): () => void {
  const clients = new Map<string, Client>();
  const forget = (key: string) => {
    const client = clients.get(key);
    if (!client) return;
    clients.delete(key);
    clearTimeout(client.idle);
    client.inside.close();
  };
  const open = (key: string, from: { address: string; port: number }): Client => {
    const inside = createSocket('udp4');
    inside.on('error', () => forget(key));
    inside.on('message', (answer) => {
      clients.get(key)?.idle.refresh();
      socket.send(answer, from.port, from.address, () => {});
    });
    const client = { inside, idle: setTimeout(() => forget(key), idleMs).unref() };
    clients.set(key, client);
    return client;
  };
  socket.on('message', (message, from) => {
    const key = `${from.address} ${from.port}`;
    const known = clients.get(key);
    if (!known && clients.size >= mostClients) return;
    const { inside, idle } = known ?? open(key, from);
    idle.refresh();
    const { hostPort, hostAddress } = to();
    inside.send(message, hostPort, hostAddress, () => {});
  });
  return () => {
    for (const key of [...clients.keys()]) forget(key);
  };
}
