import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { type Forward, PortUnavailable } from '../../../drivers/port-forwarder.ts';
import { ConnectGate } from './connect-gate.ts';
import type { Inside } from './inner-places.ts';
import { relayDatagrams } from './relay-datagrams.ts';

/** Ends the listening and what it carries. */
export type CloseRelay = () => Promise<void>;

/** This process listens at the forward's place and carries what comes to another. Throws PortUnavailable. */
export async function openRelay(forward: Forward, inside: Inside): Promise<CloseRelay> {
  try {
    return await (forward.protocol === 'udp' ? relayUdp(forward, inside) : relayTcp(forward, inside));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new PortUnavailable(forward, code);
  }
}

async function relayTcp({ hostAddress, hostPort }: Forward, to: Inside): Promise<CloseRelay> {
  const connections = new Set<{ destroy(): void }>();
  const gate = new ConnectGate();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, async (client) => {
    connections.add(client);
    client.on('error', () => client.destroy()).on('close', () => connections.delete(client));
    const admission = await gate.enter();
    if (client.destroyed) return admission.over();
    const { hostAddress: host, hostPort: port } = to();
    const inside = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const end = () => {
      client.destroy();
      inside.destroy();
    };
    client.on('close', end);
    inside.on('error', end).on('close', end);
    inside.once('connect', admission.queued).once('close', admission.queued);
    inside.once('error', admission.over);
    client.pipe(inside).pipe(client);
  });
  server.listen({ host: hostAddress, port: hostPort, exclusive: true, ipv6Only: hostAddress.includes(':') });
  await once(server, 'listening');
  return async () => {
    server.close();
    for (const connection of connections) connection.destroy();
    await once(server, 'close');
  };
}

async function relayUdp({ hostAddress, hostPort }: Forward, to: Inside): Promise<CloseRelay> {
  const ipv6Only = hostAddress.includes(':');
  const socket = createSocket({ type: ipv6Only ? 'udp6' : 'udp4', ipv6Only });
  socket.bind({ address: hostAddress, port: hostPort, exclusive: true });
  await once(socket, 'listening');
  socket.on('error', () => {});
  const close = relayDatagrams(socket, to);
  return async () => {
    close();
    socket.close();
    await once(socket, 'close');
  };
}
