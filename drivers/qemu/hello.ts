import type { Socket } from 'node:net';
import type { AgentFailure, Hello } from '../../guest/wire/index.ts';
import { WentOff } from '../errors.ts';
import { parseWord } from './agent-channel.ts';
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
}): Promise<Hello | AgentFailure> {
  let socket: Socket | undefined;
  try {
    socket = await connectChannel(agent, { signal, once: true });
    // It may have said hello to nobody before we came.
    socket.write(`${JSON.stringify({ type: 'who' })}\n`);
    for await (const line of linesOf(socket, signal)) {
      const word = parseWord(line);
      if (word?.type !== 'hello' && word?.type !== 'failure') continue;
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
