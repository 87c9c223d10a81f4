import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { joinStreams } from '../socket/join-streams.ts';

const host = '127.0.0.1';

/** Listens at a machine's own ports in its place, and keeps those who come waiting until they can be let in. */
export class StandIn {
  /** Resolves when the first one has come. */
  readonly called: Promise<void>;
  readonly #servers: readonly Server[];
  readonly #waiting = new Map<Socket, number>();
  #onCall!: () => void;

  private constructor(ports: readonly number[]) {
    this.called = new Promise((resolve) => {
      this.#onCall = resolve;
    });
    this.#servers = ports.map((port) =>
      createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
        client.on('error', () => {}).once('close', () => this.#waiting.delete(client));
        this.#waiting.set(client, port);
        this.#onCall();
      }).listen({ host, port, exclusive: true }),
    );
  }

  /** Throws what the system says of a port that is not free; then none is taken. */
  static async open(ports: readonly number[]): Promise<StandIn> {
    const standIn = new StandIn(ports);
    try {
      await Promise.all(standIn.#servers.map((server) => once(server, 'listening')));
      return standIn;
    } catch (error) {
      await standIn.close();
      throw error;
    }
  }

  get wasCalled(): boolean {
    return this.#waiting.size > 0;
  }

  /** Stops listening. Who waits goes on waiting. */
  async close(): Promise<void> {
    // Who has come in the same moment is taken in first, since the system turns him away otherwise.
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
    for (const server of this.#servers) server.close();
  }

  /** Once the machine has its ports again: everybody who waits gets a connection to it, until `signal` aborts. */
  letIn(signal: AbortSignal): void {
    for (const [client, port] of this.#waiting) {
      const inside = connect({ host, port, allowHalfOpen: true, noDelay: true });
      joinStreams(client, inside);
      const end = () => {
        client.destroy();
        inside.destroy();
      };
      signal.addEventListener('abort', end, { once: true });
      client.once('close', () => signal.removeEventListener('abort', end));
    }
    this.#waiting.clear();
  }
}
