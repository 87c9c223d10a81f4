import { connect, createServer, type Server, type Socket } from 'node:net';
import { ConnectGate } from './connect-gate.ts';
import type { Place } from './inner-places.ts';
import type { SourcePorts } from './source-ports.ts';

/** Other programs have some of the ports that connections could come from. */
const mostSources = 20;

export interface ConnectionRelay {
  /** Not listening yet. */
  readonly server: Server;
  /** Lets in who can be, after the ways have changed. */
  admit(): void;
  /** Whether somebody may have connected there who is not let in yet. */
  isUsed(way: Place): boolean;
  /** Ends what is carried. */
  close(): void;
}

export interface ConnectionWays {
  /** Listeners of the loopback that lead to the same port of a machine, at this moment. */
  readonly ways: () => readonly Place[];
  /** There should be more. */
  readonly crowded: () => void;
  readonly sources: SourcePorts;
}

/** Carries what connects to a server to one of several listeners that take two at a time. */
export function relayConnections({ ways, crowded, sources }: ConnectionWays): ConnectionRelay {
  const connections = new Set<Socket>();
  const gate = new ConnectGate<Place>({ ways, crowded });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, async (client) => {
    connections.add(client);
    client.on('error', () => client.destroy()).on('close', () => connections.delete(client));
    const admission = await gate.enter();
    if (client.destroyed) return admission.over();
    const inside = await dial(admission.way, sources, client).catch(() => null);
    admission.queued();
    if (inside === null || client.destroyed) {
      admission.answered();
      inside?.destroy();
      client.destroy();
      return;
    }
    inside.once('data', admission.answered).once('close', admission.answered);
    client.once('close', () => inside.destroy());
    inside.on('error', () => {}).once('close', () => client.destroy());
    client.pipe(inside).pipe(client);
  });
  return {
    server,
    admit: () => gate.admit(),
    isUsed: (way) => gate.isUsed(way),
    close: () => {
      for (const connection of connections) connection.destroy();
    },
  };
}

/** Connects from a port that is this connection's alone, for as long as `client` is there. Throws what connecting does. */
async function dial(
  { hostAddress: host, hostPort: port }: Place,
  sources: SourcePorts,
  client: Socket,
): Promise<Socket> {
  for (let tries = 1; ; tries++) {
    const localPort = sources.take();
    const from = { localAddress: '127.0.0.1', localPort };
    const socket = connect({ host, port, ...from, allowHalfOpen: true, noDelay: true });
    const leave = () => void socket.destroy();
    client.once('close', leave);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('error', reject);
        socket.once('close', () => {
          sources.give(localPort);
          reject(new Error('the client has gone'));
        });
      });
      return socket;
    } catch (error) {
      if (!isTaken(error) || tries === mostSources) throw error;
    } finally {
      client.off('close', leave);
    }
  }
}

/** By another program, or by a connection that has just ended. */
function isTaken(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL';
}
