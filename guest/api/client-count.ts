import type { Socket } from 'node:net';

/**
 * How many clients are connected, and since when there are none. The machine's host, which keeps a connection for its
 * own services, is no client.
 */
export class ClientCount {
  #connections = 0;
  readonly #host = new Set<Socket>();
  #lastLeftMs = performance.now();

  /** Counts a connection from its first byte on, before anything is asked. */
  connected(connection: Socket): void {
    this.#connections += 1;
    connection.once('close', () => {
      this.#connections -= 1;
      this.#lastLeftMs = performance.now();
    });
  }

  /** What comes by this socket is the host's own. Idempotent. */
  isHost(socket: Socket): void {
    if (this.#host.has(socket)) return;
    this.#host.add(socket);
    socket.once('close', () => this.#host.delete(socket));
  }

  /** Zero while there are clients. */
  idleMs(): number {
    return this.#connections > this.#host.size ? 0 : performance.now() - this.#lastLeftMs;
  }
}
