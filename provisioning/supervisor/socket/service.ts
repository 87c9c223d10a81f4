import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { makeSocketDirectory } from '../../../drivers/socket-path.ts';
import { engineConnector } from '../engine-stream.ts';
import type { Service, ServiceContext } from '../service.ts';
import { alsoAt } from './also-at.ts';
import { joinStreams } from './join-streams.ts';
import { apiSocketOf } from './path.ts';
import { refuse } from './refuse.ts';

/**
 * The machine's API on a socket of this computer that only its owner may open: each connection becomes one to the
 * engine, with the client certificate. Nothing is read of what passes, so whatever Docker clients do goes through.
 */
export const socketService: Service = {
  name: 'socket',
  async run(context: ServiceContext): Promise<void> {
    const { machine, signal, log, ready } = context;
    const { path, shortDirectory } = apiSocketOf(machine.paths);
    const take = engineTaker(context);
    if (shortDirectory !== null) await makeSocketDirectory(shortDirectory);
    const ending = new AbortController();
    const until = AbortSignal.any([signal, ending.signal]);
    const other = await alsoAt(machine.paths);
    const atOther = other === null ? null : serveAt(other, { signal: until, take });
    // Somebody else may be there by now, which is no reason to be nowhere.
    const others = atOther?.catch((error: unknown) => log.error(`not at ${other}`, error));
    try {
      await serveAt(path, { signal, take, ready });
    } finally {
      ending.abort();
      await others;
    }
  },
};

type Taker = (client: Socket, track: (socket: Socket) => void) => void;

/** Leads a client's connection to the engine. */
function engineTaker({ machine, signal, log, sleep }: ServiceContext): Taker {
  const engine = engineConnector(machine);
  return (client, track) => {
    client.on('error', () => {});
    // Who leaves before the engine is reached is not waited for.
    const left = new AbortController();
    client.once('close', () => left.abort(new Error('the client left')));
    const until = AbortSignal.any([signal, left.signal]);
    const connected = sleep.connecting(() => engine.connect(until));
    connected.then(
      (connection) => {
        track(connection);
        joinStreams(client, connection);
      },
      (error: unknown) => {
        if (client.destroyed || signal.aborted) return void client.destroy();
        log.error('a client was refused', error);
        refuse(client, error);
      },
    );
  };
}

/** Until the signal aborts; throws when it cannot listen there, or not any more. */
async function serveAt(
  path: string,
  {
    signal,
    take,
    ready,
  }: { readonly signal: AbortSignal; readonly take: Taker; readonly ready?: () => void },
): Promise<void> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    track(client);
    take(client, track);
  });
  const isPipe = process.platform === 'win32';
  // What a supervisor that was killed left; there is only one at a time.
  if (!isPipe) await rm(path, { force: true });
  const failed = once(server, 'error', { signal }).then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  server.listen(path);
  try {
    await Promise.race([once(server, 'listening'), failed]);
    if (!isPipe) await chmod(path, 0o600);
    ready?.();
    await failed.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
    if (!isPipe) await rm(path, { force: true });
  }
}
