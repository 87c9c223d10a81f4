import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClockPush, ClockReading } from '../wire/index.ts';

/** Less may be the way from the host, and is not worth a process. */
const worthSayingMs = 30;
/** What a clock that was just set may be off by, before it is set again. */
const closeEnoughMs = 15;
/** For a shell to start and wait for its word. */
const preparationMs = 250;
/** From the word to a set clock, before it was ever measured: a process of an emulated machine. */
const usualLeadMs = 25;
const attempts = 3;
const coarseMs = 1000;

export interface ClockParts {
  /** The wall clock, which is set. */
  readonly wall: () => number;
  /** Milliseconds that only ever go on. */
  readonly steady: () => number;
  /** Sets the wall clock to a whole second, as soon as it can when `at` has resolved. */
  readonly setTo: (epochSeconds: number, at: Promise<unknown>) => Promise<void>;
}

const systemClock: ClockParts = {
  wall: Date.now,
  steady: () => performance.now(),
  async setTo(epochSeconds, at) {
    const setter = spawn('sh', ['-c', 'read -r at && exec date -u -s "@$at"'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = once(setter, 'exit');
    setter.stdin.on('error', () => {});
    await at;
    setter.stdin.end(`${epochSeconds}\n`);
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw new Error(`date ended with ${code}`);
  },
};

/** The guest's wall clock. A VM that was paused, or whose host slept, has missed that time. */
export class GuestClock {
  readonly #parts: ClockParts;
  #isBeingSet = false;
  /** What setting took the last time: it is ordered by so much earlier. */
  #leadMs = usualLeadMs;

  constructor(parts: ClockParts = systemClock) {
    this.#parts = parts;
  }

  /** What to answer to the host's time; null when ours is the same, as far as can be told from here. */
  compare({ epochMs }: ClockPush): ClockReading | null {
    const guestMs = this.#parts.wall();
    if (this.#isBeingSet || Math.abs(guestMs - epochMs) <= worthSayingMs) return null;
    return { type: 'clock', version: 1, epochMs, guestMs };
  }

  /**
   * Sets the clock to the host's, which is `epochMs` now: resolves when it is right to a second, and makes it exact in the
   * seconds after. `onError` is told when that fails.
   */
  async follow(epochMs: number, onError: (error: unknown) => void): Promise<void> {
    const { wall, steady, setTo } = this.#parts;
    const heard = steady();
    try {
      if (!this.#isBeingSet && Math.abs(wall() - epochMs) > coarseMs)
        await setTo(Math.round(epochMs / 1000), Promise.resolve());
    } catch (error) {
      onError(error);
    }
    this.set(epochMs + steady() - heard).catch(onError);
  }

  /**
   * Sets the clock to the host's, which is `epochMs` now. `date` sets whole seconds, so it is called when one begins, and
   * once more if it turned out to take its time. Does nothing while the clock is being set already.
   */
  async set(epochMs: number): Promise<void> {
    if (this.#isBeingSet) return;
    this.#isBeingSet = true;
    try {
      const { wall, steady, setTo } = this.#parts;
      const heard = steady();
      const hostNow = () => epochMs + steady() - heard;
      for (let attempt = 1; attempt <= attempts; attempt += 1) {
        const second = Math.ceil((hostNow() + preparationMs + this.#leadMs) / 1000);
        await setTo(second, delay(second * 1000 - this.#leadMs - hostNow()));
        const error = wall() - hostNow();
        if (Math.abs(error) <= closeEnoughMs) return;
        // Less than nothing it cannot take, and what took longer was kept waiting.
        this.#leadMs = Math.min(Math.max(this.#leadMs - error, 0), preparationMs);
      }
    } finally {
      this.#isBeingSet = false;
    }
  }
}
