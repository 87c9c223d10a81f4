import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Forward, PortUnavailable } from '../../../drivers/port-forwarder.ts';
import type { Place } from './inner-places.ts';
import { type ConnectionWays, relayConnections } from './relay-connections.ts';
import { relayDatagrams } from './relay-datagrams.ts';

/** What a relay of this process is to who opened it. */
export interface Relay {
  /** For who has given it more ways. */
  admit(): void;
  /** Whether somebody may be about to be let in there. */
  isUsed(way: Place): boolean;
  /** Ends the listening and what it carries. */
  close(): Promise<void>;
}

/** This process listens at the forward's place and carries what comes to others; the first is always there. Throws PortUnavailable. */
export async function openRelay(forward: Forward, ways: ConnectionWays): Promise<Relay> {
  try {
    return await (forward.protocol === 'udp' ? relayUdp(forward, ways) : relayTcp(forward, ways));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new PortUnavailable(forward, code);
  }
}

async function relayTcp({ hostAddress, hostPort }: Forward, ways: ConnectionWays): Promise<Relay> {
  const { server, close, admit, isUsed } = relayConnections(ways);
  server.listen({ host: hostAddress, port: hostPort, exclusive: true, ipv6Only: hostAddress.includes(':') });
  await once(server, 'listening');
  return {
    admit,
    isUsed,
    close: async () => {
      server.close();
      close();
      await once(server, 'close');
    },
  };
}

async function relayUdp({ hostAddress, hostPort }: Forward, { ways }: ConnectionWays): Promise<Relay> {
  const ipv6Only = hostAddress.includes(':');
  const socket = createSocket({ type: ipv6Only ? 'udp6' : 'udp4', ipv6Only });
  socket.bind({ address: hostAddress, port: hostPort, exclusive: true });
  await once(socket, 'listening');
  socket.on('error', () => {});
  const close = relayDatagrams(socket, () => ways()[0]!);
  return {
    admit: () => {},
    isUsed: () => false,
    close: async () => {
      close();
      socket.close();
      await once(socket, 'close');
    },
  };
}
