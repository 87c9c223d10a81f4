import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { Unavailable } from '../../drivers/errors.ts';
import type { Machine } from '../machine.ts';
import { EngineConnector } from './socket/engine-connection.ts';

/** An agent that is started again takes a few seconds. */
const agentDeadlineMs = 60_000;
const handshakeDeadlineMs = 30_000;

const connectors = new WeakMap<Machine, EngineConnector>();

/** One for all services of a machine: a session that one of them has is resumed by the others. */
export function engineConnector(machine: Machine): EngineConnector {
  const connector = connectors.get(machine) ?? new EngineConnector(machine);
  connectors.set(machine, connector);
  return connector;
}

/**
 * A connection of the machine's API that has become one of `protocol`: half-open, and the caller's to end. Waits for an
 * engine that is being started. Throws Unavailable or Timeout when it does not answer, and the reason of `signal`.
 */
export async function engineStream(
  machine: Machine,
  { path, protocol }: { readonly path: string; readonly protocol: string },
  signal: AbortSignal,
): Promise<TLSSocket> {
  const deadline = performance.now() + agentDeadlineMs;
  for (let wait = 50; ; wait = Math.min(wait * 2, 2000)) {
    try {
      const socket = await engineConnector(machine).connect(signal);
      return await upgraded(socket, { path, protocol }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw error;
    }
    await delay(wait, undefined, { signal });
  }
}

function upgraded(
  socket: TLSSocket,
  { path, protocol }: { readonly path: string; readonly protocol: string },
  signal: AbortSignal,
): Promise<TLSSocket> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(handshakeDeadlineMs)]);
  return new Promise((resolve, reject) => {
    const abort = () => void socket.destroy();
    const settle = (error: Error | null) => {
      until.removeEventListener('abort', abort);
      if (error === null) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    until.addEventListener('abort', abort, { once: true });
    if (until.aborted) abort();
    request({
      createConnection: () => socket,
      path,
      headers: { connection: 'Upgrade', upgrade: protocol, host: 'machine' },
    })
      .on('upgrade', (_response, _socket, head) => {
        if (head.length > 0) socket.unshift(head);
        settle(null);
      })
      .on('response', ({ statusCode }) =>
        settle(new Unavailable(`the engine has no ${path} (it answered with ${statusCode})`)),
      )
      .on('error', (cause) => settle(new Unavailable('the engine ended the connection', { cause })))
      .end();
  });
}
