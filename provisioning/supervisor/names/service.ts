import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { readMessages, withLength } from '../../../guest/dns/framing.ts';
import { parseQuestion } from '../../../guest/dns/message.ts';
import { hostNamesProtocol } from '../../../guest/wire/index.ts';
import { engineStream } from '../engine-stream.ts';
import type { Service, ServiceContext } from '../service.ts';
import { answerAsHost, failure, type Sources } from './answer.ts';
import { isInHostsFile } from './hosts-file.ts';
import { SystemLookups } from './lookups.ts';
import { askNameServers } from './name-servers.ts';

/** The end of a start needs the processor more; who asks for a name before that waits (guest/network/dns/host-stream.ts). */
const settleMs = 500;
/** So that an engine which ends each connection at once is not asked all the time. */
const reconnectMs = 200;
/** An engine of ours asks no more at once (guest/network/dns/asking-bounds.ts). */
const mostUnderWay = 512;
/** Who asks has given up, or asks again. */
const answerDeadlineMs = 10_000;

/**
 * Names in the machine, resolved as this computer resolves them when they are asked for (guest/wire/host-names.ts,
 * docs/decisions/0021-names.md). Costs nothing while nobody asks.
 */
export const namesService: Service = {
  name: 'names',
  async run({ machine, signal, ready }: ServiceContext): Promise<void> {
    const sources = { system: new SystemLookups(), nameServers: askNameServers, isInHostsFile };
    let isReady = false;
    try {
      await delay(settleMs, undefined, { signal });
      while (!signal.aborted) {
        const stream = await engineStream(
          machine,
          { path: '/machine/names', protocol: hostNamesProtocol },
          signal,
        );
        if (!isReady) ready();
        isReady = true;
        await serveNames(stream, sources, signal);
        await delay(reconnectMs, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
};

export interface ServeOptions {
  readonly deadlineMs?: number;
}

/** Answers what comes by a stream, in the order in which answers are known, until it ends or `signal` aborts. */
export function serveNames(
  stream: Duplex,
  sources: Sources,
  signal: AbortSignal,
  { deadlineMs = answerDeadlineMs }: ServeOptions = {},
): Promise<void> {
  let underWay = 0;
  const serve = async (query: Buffer) => {
    const question = parseQuestion(query);
    if (question === null) return;
    if (underWay >= mostUnderWay) return say(failure(query, question));
    underWay += 1;
    const deadline = new AbortController();
    try {
      const late = delay(deadlineMs, null, { signal: deadline.signal }).catch(() => null);
      const answer = await Promise.race([answerAsHost(query, sources).catch(() => null), late]);
      say(answer ?? failure(query, question));
    } finally {
      deadline.abort();
      underWay -= 1;
    }
  };
  const say = (message: Buffer) => {
    if (!stream.destroyed) stream.write(withLength(message));
  };
  return new Promise((resolve) => {
    const end = () => void stream.destroy();
    signal.addEventListener('abort', end, { once: true });
    stream.on('error', () => {}).on('end', end);
    stream.once('close', () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
    readMessages(stream, (query) => void serve(query));
    if (signal.aborted) end();
  });
}
