import type { FromAgent, ToAgent } from '../../guest/wire/index.ts';
import type { AgentConnection } from '../driver.ts';
import type { Listener } from './args.ts';
import { connectChannel, linesOf } from './line-channel.ts';

const types: readonly FromAgent['type'][] = ['hello', 'failure', 'clock', 'activity'];

/** Opens the agent's port of a running VM. QEMU serves one client and keeps the next one waiting, unheard. */
export async function connectAgent(listener: Listener, signal: AbortSignal): Promise<AgentConnection> {
  const socket = await connectChannel(listener, { signal, once: true });
  socket.on('error', () => {});
  return {
    send(message: ToAgent) {
      socket.write(`${JSON.stringify(message)}\n`);
    },
    async *words(until: AbortSignal) {
      for await (const line of linesOf(socket, until)) {
        const word = parseWord(line);
        if (word !== null) yield word;
      }
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

/** Null for what is no word of the agent's: a line cut in two by a host that was connected before us. */
export function parseWord(line: string): FromAgent | null {
  try {
    const word = JSON.parse(line) as Partial<FromAgent> | null;
    return types.some((type) => type === word?.type) ? (word as FromAgent) : null;
  } catch {
    return null;
  }
}
