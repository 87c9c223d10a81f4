import { setTimeout as delay } from 'node:timers/promises';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import type { PortFailure, PublishedPorts } from '../../../guest/wire/index.ts';
import type { Service, ServiceContext } from '../service.ts';
import { portFailure } from './failure.ts';
import { followPorts, type PortsStream } from './follow-ports.ts';
import { ForwardTable } from './forward-table.ts';
import { findTaker } from './taker.ts';
import { wantedForwards } from './wanted.ts';

/** A port that was taken may be free again; nobody says so. */
const retryMs = 5000;
/** So that one which ends each connection at once is not asked all the time. */
const reconnectMs = 200;

/**
 * Published ports: what the containers of a machine publish, this computer forwards, and it answers the machine's agent
 * for it (docs/decisions/0014-host-ports.md).
 */
export const portsService: Service = {
  name: 'ports',
  async run(context) {
    const { machine, signal, log } = context;
    if (machine.driver.forward === undefined)
      throw new FailedPrecondition(`machines of driver ${machine.driver.name} have no forwards`);
    await using forwarder = await machine.driver.forward(machine.handle, { signal });
    await using table = await ForwardTable.open(forwarder);
    const told = new Told(log);
    const once = { ...context, ready: onlyOnce(context.ready) };
    while (!signal.aborted) {
      using stream = await followPorts(machine, signal);
      await follow(stream, table, once, told);
      await delay(reconnectMs, undefined, { signal }).catch(() => {});
    }
  },
};

/** Makes each state true and answers it, until the stream ends. Throws what the forwarder throws. */
async function follow(
  stream: PortsStream,
  table: ForwardTable,
  { machine, signal, ready }: ServiceContext,
  told: Told,
): Promise<void> {
  const make = async ({ published }: PublishedPorts) => {
    const failed = await table.become(wantedForwards(published));
    return await Promise.all(
      failed.map(async (failure) =>
        portFailure(
          failure,
          failure.error.code === 'EADDRINUSE' ? await findTaker(failure.forward, machine) : null,
        ),
      ),
    );
  };
  const states = stream.states();
  let next = states.next();
  let state: PublishedPorts | null = null;
  let failed: readonly PortFailure[] = [];
  while (true) {
    const waited = new AbortController();
    const until = AbortSignal.any([signal, waited.signal]);
    const again =
      failed.length > 0 ? [delay(retryMs, 'again' as const, { signal: until }).catch(() => null)] : [];
    const came = await Promise.race([next, ...again]);
    waited.abort();
    if (came === null) return;
    if (came === 'again') {
      failed = await make(state!);
    } else {
      if (came.done) return;
      state = came.value;
      next = states.next();
      failed = await make(state);
      stream.answer({ serial: state.serial, failed });
      ready();
    }
    told.tell(failed);
  }
}

function onlyOnce(call: () => void): () => void {
  let called = false;
  return () => {
    if (!called) call();
    called = true;
  };
}

/** Each failure is in the log once, while it lasts. */
class Told {
  readonly #log: ServiceContext['log'];
  #messages = new Set<string>();

  constructor(log: ServiceContext['log']) {
    this.#log = log;
  }

  tell(failed: readonly PortFailure[]): void {
    const messages = new Set(failed.map(({ message }) => message));
    for (const message of messages) if (!this.#messages.has(message)) this.#log.error(message);
    this.#messages = messages;
  }
}
