import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentConnection } from '../../../drivers/driver.ts';
import { Unavailable } from '../../../drivers/errors.ts';
import type { Suspender } from '../../../drivers/suspender.ts';
import type { ActivityQuestion } from '../../../guest/wire/index.ts';
import type { Service, ServiceContext } from '../service.ts';
import { untilAborted } from '../until-aborted.ts';
import { StandIn } from './stand-in.ts';

/** A guest that takes longer is not idle. */
const answerMs = 10_000;
const leastPauseMs = 1000;
/** The balloon tells the host two seconds after memory was freed (drivers/virtio, page reporting). */
const givingBackMs = 4000;
/** For a connection that was made before nobody listened any more to be known in the guest. */
const settleMs = 500;

/**
 * Suspends a machine that has been idle for as long as its record says: no container runs or will by itself, nobody is
 * connected to its engine or logged in. Whoever connects to one of its ports lets it go on, and only waits a little
 * longer (docs/decisions/0018-suspending.md).
 */
export const suspendService: Service = {
  name: 'suspend',
  async run(context: ServiceContext): Promise<void> {
    const { machine, signal, ready } = context;
    const { driver, handle, record } = machine;
    if (driver.suspender === undefined || driver.connectAgent === undefined) return await forever(context);
    await using suspender = await driver.suspender(handle, { signal });
    // What a supervisor that was killed while the machine was suspended has left.
    await suspender.resume();
    await suspender.takeBack();
    if (record.SuspendAfterMs === null) return await forever(context);
    await using agent = await driver.connectAgent(handle, { signal });
    ready();
    while (true) {
      await whenIdle(agent, record.SuspendAfterMs, signal);
      await suspendUntilCalled(suspender, agent, record.SuspendAfterMs, context);
    }
  },
};

/** Nothing to do, which is well. */
async function forever({ signal, ready }: ServiceContext): Promise<void> {
  ready();
  await untilAborted(signal);
}

async function whenIdle(agent: AgentConnection, forMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const idleMs = await ask(agent, { type: 'activity' }, signal);
    if (idleMs >= forMs) return;
    await delay(Math.max(forMs - idleMs, leastPauseMs), undefined, { signal });
  }
}

async function suspendUntilCalled(
  suspender: Suspender,
  agent: AgentConnection,
  afterMs: number,
  { signal, sleep, log }: ServiceContext,
): Promise<void> {
  await ask(agent, { type: 'activity', rest: true }, signal);
  await delay(givingBackMs, undefined, { signal });
  // From here on who connects comes to us; who came before, the guest knows of.
  let standIn: StandIn | null = null;
  try {
    standIn = await sleep.change(async () => {
      await suspender.letGo();
      return await StandIn.open(suspender.ports);
    });
    await delay(settleMs, undefined, { signal });
    if ((await ask(agent, { type: 'activity' }, signal)) < afterMs || standIn.wasCalled) return;
    sleep.fallAsleep();
    await suspender.pause();
    log.info('suspended, since nothing runs and nobody is connected');
    await Promise.race([standIn.called, once(signal, 'abort')]);
    log.info(signal.aborted ? 'resumed at the end' : 'resumed: somebody connects');
  } finally {
    await goOn(standIn, suspender, agent, { signal, sleep }).catch((error: unknown) => {
      // A machine that is off has nothing to resume.
      if (!signal.aborted) throw error;
    });
  }
}

async function goOn(
  standIn: StandIn | null,
  suspender: Suspender,
  agent: AgentConnection,
  { signal, sleep }: Pick<ServiceContext, 'signal' | 'sleep'>,
): Promise<void> {
  await suspender.resume();
  const slept = sleep.asleep;
  sleep.wakeUp();
  // Who keeps the clock has told the guest the time now; what the guest answers, it answers after it has set its own.
  if (slept) await ask(agent, { type: 'activity' }, signal).catch(() => {});
  await sleep.change(async () => {
    await standIn?.close();
    await suspender.takeBack();
  });
  standIn?.letIn(signal);
}

/** Zero for a guest that does not answer in time. Throws Unavailable when it cannot any more. */
async function ask(agent: AgentConnection, question: ActivityQuestion, signal: AbortSignal): Promise<number> {
  const deadline = AbortSignal.timeout(answerMs);
  const heard = answer(agent, AbortSignal.any([signal, deadline]));
  agent.send(question);
  try {
    return await heard;
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) return 0;
    throw error;
  }
}

async function answer(agent: AgentConnection, signal: AbortSignal): Promise<number> {
  for await (const word of agent.words(signal)) if (word.type === 'activity') return word.idleMs;
  throw new Unavailable('the connection to the agent has ended');
}
