import { Unavailable } from '../../drivers/errors.ts';
import type { ClockReading } from '../../guest/wire/index.ts';
import type { Service, ServiceContext } from './service.ts';

/** How long a guest that was paused, or whose host slept, may have the wrong time. */
const pushMs = 10_000;
/** For a busy guest to have set it. */
const settleMs = 1000;
/** What a clock may be off by. */
const toleranceMs = 30;
/** An answer that took longer was kept somewhere: the VM was paused. */
const staleMs = 1000;
/** A guest that differs, though not surely, is asked again after this: it may just be busy. */
const doubtMs = 2000;

/**
 * Keeps the guest's clock at the host's time. The host's time is said every ten seconds; a guest whose clock shows
 * another one answers what it shows, and is told to put it on, or back, by what the way there and back cannot
 * explain. A guest that is right says nothing, so an idle machine stays idle.
 */
export const clockService: Service = {
  name: 'clock',
  async run({ machine, signal, log, ready, sleep }: ServiceContext): Promise<void> {
    const { driver, handle } = machine;
    if (driver.connectAgent === undefined) throw new Unavailable('this driver has no way to the agent');
    await using agent = await driver.connectAgent(handle, { signal });
    const push = () => {
      // Else it would hear all of it at once when it goes on.
      if (!sleep.asleep) agent.send({ type: 'clock', epochMs: Date.now() });
    };
    const regularly = setInterval(push, pushMs);
    let afterwards: NodeJS.Timeout | undefined;
    const forget = sleep.onAwake(() => {
      // Whoever woke it waits; and nothing there is late yet.
      agent.send({ type: 'clock', epochMs: Date.now(), set: true });
      clearTimeout(afterwards);
      afterwards = setTimeout(push, settleMs);
    });
    try {
      push();
      ready();
      for await (const word of agent.words(signal)) {
        if (word.type !== 'clock') continue;
        const verdict = judge(word, Date.now());
        const again = (afterMs: number) => {
          clearTimeout(afterwards);
          afterwards = setTimeout(push, afterMs);
        };
        if (verdict === 'stale') again(0);
        if (verdict === 'unclear') again(doubtMs);
        if (typeof verdict !== 'number') continue;
        log.info(`the guest's clock is off by ${verdict} ms and is set`);
        agent.send({ type: 'clock', epochMs: Date.now(), shiftMs: -verdict });
        // Whether it worked.
        again(settleMs);
      }
      throw new Unavailable('the connection to the agent has ended');
    } finally {
      clearInterval(regularly);
      clearTimeout(afterwards);
      forget();
    }
  },
};

/**
 * What a reading, heard at `nowMs`, says: by how many milliseconds the guest's clock is surely off; that it may be
 * right after all; or that it is too old to tell. The guest looked at its clock between our asking and its answer.
 */
export function judge({ epochMs, guestMs }: ClockReading, nowMs: number): number | 'unclear' | 'stale' {
  const most = guestMs - epochMs;
  const least = guestMs - nowMs;
  if (least > toleranceMs) return least;
  if (most < -toleranceMs) return most;
  return nowMs - epochMs > staleMs ? 'stale' : 'unclear';
}
