import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ClockPush, ClockReading } from '../wire/index.ts';

/** Less may be the way from the host, and is not worth a process. */
const worthSayingMs = 30;

export interface ClockParts {
  /** The wall clock. */
  readonly wall: () => number;
  /** Puts the wall clock on, or back when it is negative. However long that takes, it is by so much. */
  readonly shift: (ms: number) => Promise<void>;
}

const systemClock: ClockParts = {
  wall: Date.now,
  async shift(ms) {
    // One system call (ADJ_SETOFFSET, adjtimex(2)). `date` sets it to what was the time before it had to wait.
    await promisify(execFile)('phc_ctl', ['-q', 'CLOCK_REALTIME', '--', 'adj', (ms / 1000).toFixed(3)]);
  },
};

/** The guest's wall clock. A VM that was paused, or whose host slept, has missed that time. */
export class GuestClock {
  readonly #parts: ClockParts;
  #isBeingSet = false;

  constructor(parts: ClockParts = systemClock) {
    this.#parts = parts;
  }

  /**
   * Does as the host says, and resolves when it is done; nothing while something is being done already. What to answer:
   * null when the clock shows the host's time, as far as can be told from here, or was not to be compared.
   */
  async hear({ epochMs, set, shiftMs }: ClockPush): Promise<ClockReading | null> {
    if (this.#isBeingSet) return null;
    const guestMs = this.#parts.wall();
    if (shiftMs !== undefined || set) {
      await this.#shift(shiftMs ?? epochMs - guestMs);
      return null;
    }
    if (Math.abs(guestMs - epochMs) <= worthSayingMs) return null;
    return { type: 'clock', version: 1, epochMs, guestMs };
  }

  async #shift(ms: number): Promise<void> {
    this.#isBeingSet = true;
    try {
      await this.#parts.shift(ms);
    } finally {
      this.#isBeingSet = false;
    }
  }
}
