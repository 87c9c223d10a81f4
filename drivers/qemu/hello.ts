import type { Socket } from 'node:net';
import type { FromAgent } from '../../guest/wire/index.ts';
import { WentOff } from '../errors.ts';
import type { Listener } from './args.ts';
import { connectChannel, linesOf } from './line-channel.ts';
import { abortError } from './process.ts';
import { QmpClient } from './qmp.ts';

/**
 * The agent's first word after we connected. Until then a guest that resets ends its QEMU (args.ts), which
 * ends this with WentOff; from then on a reset is a reboot.
 */
export async function awaitHello({
  agent,
  qmp,
  signal,
}: {
  readonly agent: Listener;
  readonly qmp: Listener;
  readonly signal: AbortSignal;
}): Promise<FromAgent> {
  let socket: Socket | undefined;
  try {
    socket = await connectChannel(agent, { signal, once: true });
    // It may have said hello to nobody before we came.
    socket.write(`${JSON.stringify({ type: 'who' })}\n`);
    for await (const line of linesOf(socket, signal)) {
      const word = parse(line);
      if (word === null) continue;
      if (word.type === 'hello') {
        await using client = await QmpClient.connect(qmp, { signal, once: true });
        await client.execute('set-action', { reboot: 'reset' });
      }
      return word;
    }
  } catch (error) {
    if (signal.aborted) throw abortError(signal, 'waiting for the engine');
    throw new WentOff('the machine went off before its engine came up', { cause: error });
  } finally {
    // The port is free for the next one who listens, and this process may end.
    socket?.destroy();
  }
  throw new WentOff('the machine went off before its engine came up');
}

/** Null for what is no word of the agent's: a line cut in two by a host that was connected before us. */
function parse(line: string): FromAgent | null {
  try {
    const word = JSON.parse(line) as Partial<FromAgent> | null;
    return word?.type === 'hello' || word?.type === 'failure' ? (word as FromAgent) : null;
  } catch {
    return null;
  }
}
