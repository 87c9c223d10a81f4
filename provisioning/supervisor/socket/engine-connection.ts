import { readFile } from 'node:fs/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Timeout, Unavailable } from '../../../drivers/errors.ts';
import type { Machine } from '../../machine.ts';

/** For TCP and TLS together; an emulated machine that is busy takes seconds. */
const connectDeadlineMs = 30_000;

/**
 * Opens connections to a machine's API as a Docker client does: mutual TLS with the client certificate, which is read
 * anew for each, since it is renewed now and then. Sessions are resumed: no RSA in the guest but for the first.
 */
export class EngineConnector {
  readonly #machine: Machine;
  #session: Buffer | undefined;
  #certificate = '';

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Half-open: either direction ends by itself. Throws Unavailable or Timeout, saying what to type. */
  async connect(signal: AbortSignal): Promise<TLSSocket> {
    const { driver, handle, paths, record } = this.#machine;
    const [{ url }, ca, cert, key] = await Promise.all([
      driver.endpoints(handle),
      ...[paths.ca, paths.cert, paths.key].map((path) => readFile(path, 'utf8')),
    ] as const);
    if (cert !== this.#certificate) this.#session = undefined;
    this.#certificate = cert!;
    const { hostname, port } = new URL(url);
    // Node's types do not know of half-open ones.
    const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port),
      ca,
      cert,
      key,
      minVersion: 'TLSv1.2',
      allowHalfOpen: true,
      ...(this.#session && { session: this.#session }),
    };
    const socket = connect(options);
    socket.setNoDelay(true);
    socket.on('session', (session) => {
      this.#session = session;
    });
    const until = AbortSignal.any([signal, AbortSignal.timeout(connectDeadlineMs)]);
    try {
      await whenSecure(socket, until);
      return socket;
    } catch (cause) {
      socket.destroy();
      this.#session = undefined;
      if (until.aborted && !signal.aborted)
        throw new Timeout(
          `the engine of machine "${record.Name}" does not answer; machine doctor ${record.Name} says more`,
        );
      throw new Unavailable(
        `the engine of machine "${record.Name}" cannot be reached; machine doctor ${record.Name} says more`,
        { cause },
      );
    }
  }
}

function whenSecure(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      signal.removeEventListener('abort', onAbort);
      for (const [event, listener] of listeners) socket.off(event, listener);
      // One that comes later is for whoever has the socket then; without a listener it would end the process.
      socket.on('error', () => {});
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = () => settle(signal.reason ?? new Error('aborted'));
    const listeners = [
      ['secureConnect', () => settle()],
      ['error', (error: Error) => settle(error)],
      ['close', () => settle(new Error('it closed the connection'))],
    ] as const;
    for (const [event, listener] of listeners) socket.on(event, listener as () => void);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
