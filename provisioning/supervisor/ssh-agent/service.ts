import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { sshAgentProtocol } from '../../../guest/wire/index.ts';
import { rememberedAgent } from '../../ssh/user-agent.ts';
import { engineStream } from '../engine-stream.ts';
import type { Service, ServiceContext } from '../service.ts';
import { joinStreams } from '../socket/join-streams.ts';

/** The first container after a start needs the processor more; a program that wants the agent waits. */
const settleMs = 2000;
/** So that an engine which ends each connection at once is not asked all the time. */
const reconnectMs = 200;
/** Programs that use the agent at once; further ones wait for their turn. */
const maxRelays = 64;

/**
 * The user's ssh-agent in the machine (guest/wire/ssh-agent.ts): one connection is parked with the engine; the first byte
 * that comes by it makes it one to the agent, where that is at this moment. Costs nothing while nobody uses it.
 */
export const sshAgentService: Service = {
  name: 'ssh-agent',
  async run({ machine, signal, log, ready }: ServiceContext): Promise<void> {
    const relays = new Set<Socket>();
    const told = new Set<string>();
    ready();
    try {
      await delay(settleMs, undefined, { signal });
      while (!signal.aborted) {
        const parked = await engineStream(
          machine,
          { path: '/machine/ssh-agent', protocol: sshAgentProtocol },
          signal,
        );
        relays.add(parked);
        parked.once('close', () => relays.delete(parked));
        if (!(await isUsed(parked, signal))) {
          parked.destroy();
          await delay(reconnectMs, undefined, { signal });
          continue;
        }
        void relay(parked, machine.paths).catch((error: unknown) => {
          parked.destroy();
          const text = `the ssh-agent cannot be reached: ${(error as Error).message}`;
          if (!told.has(text)) log.error(text);
          told.add(text);
        });
        while (relays.size >= maxRelays)
          await Promise.race([...relays].map((stream) => once(stream, 'close', { signal })));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const stream of relays) stream.destroy();
    }
  },
};

/** Resolves when bytes have come, which are still to be read: true; or when it has ended: false. */
function isUsed(stream: Socket, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (used: boolean) => {
      signal.removeEventListener('abort', over);
      stream.off('data', first).off('end', over).off('close', over);
      resolve(used);
    };
    const over = () => settle(false);
    const first = (bytes: Buffer) => {
      settle(true);
      stream.pause();
      stream.unshift(bytes);
    };
    stream.on('data', first).on('end', over).on('close', over);
    signal.addEventListener('abort', over, { once: true });
    if (signal.aborted) over();
  });
}

/** Throws what is the matter with the user's agent. */
async function relay(parked: Socket, paths: Parameters<typeof rememberedAgent>[0]): Promise<void> {
  const path = await rememberedAgent(paths);
  if (path === null)
    throw new Error(
      'there was no SSH_AUTH_SOCK when the machine was last started; machine start says where it is',
    );
  const agent = connect({ path, allowHalfOpen: true });
  await once(agent, 'connect');
  joinStreams(parked, agent);
}
