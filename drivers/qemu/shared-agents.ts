import { EventEmitter, on } from 'node:events';
import type { FromAgent } from '../../guest/wire/index.ts';
import type { AgentConnection } from '../driver.ts';
import { connectAgent } from './agent-channel.ts';
import type { Listener } from './args.ts';

interface Shared {
  readonly connection: Promise<AgentConnection>;
  readonly words: EventEmitter;
  readonly ended: AbortController;
  leases: number;
}

/**
 * Connections to agents. QEMU serves one client a port, and several services of one supervisor want it: what one says
 * goes out, what the agent says all of them hear. Closed when the last one has given it back.
 */
export class SharedAgents {
  readonly #shared = new Map<string, Shared>();

  /** Throws what connectAgent throws. */
  async lease(listener: Listener, signal: AbortSignal): Promise<AgentConnection> {
    const key = JSON.stringify(listener);
    const mine = this.#shared.get(key) ?? this.#open(listener, key);
    mine.leases += 1;
    const release = async () => {
      mine.leases -= 1;
      if (mine.leases > 0) return;
      this.#forget(key, mine);
      mine.ended.abort(new Error('nobody listens any more'));
      const connection = await mine.connection.catch(() => null);
      await connection?.[Symbol.asyncDispose]();
    };
    try {
      const connection = await mine.connection;
      signal.throwIfAborted();
      return {
        send: (message) => connection.send(message),
        words: (until) => wordsOf(mine, until),
        [Symbol.asyncDispose]: release,
      };
    } catch (error) {
      await release();
      throw error;
    }
  }

  #open(listener: Listener, key: string): Shared {
    const words = new EventEmitter();
    const ended = new AbortController();
    // Not this caller's signal: others may wait for the same connection.
    const connection = connectAgent(listener, AbortSignal.any([ended.signal, AbortSignal.timeout(10_000)]));
    const shared: Shared = { connection, words, ended, leases: 0 };
    this.#shared.set(key, shared);
    void connection
      .then(async (agent) => {
        for await (const word of agent.words(ended.signal)) words.emit('word', word);
      })
      .catch(() => {})
      .finally(() => {
        this.#forget(key, shared);
        ended.abort(new Error('the connection has ended'));
        words.emit('end');
      });
    return shared;
  }

  /** The next one who asks gets a new connection. */
  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }
}

async function* wordsOf({ words, ended }: Shared, signal: AbortSignal): AsyncGenerator<FromAgent> {
  signal.throwIfAborted();
  if (ended.signal.aborted) return;
  try {
    for await (const [word] of on(words, 'word', { signal, close: ['end'] })) yield word as FromAgent;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
