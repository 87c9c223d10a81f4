import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { GuestClock } from '../../../guest/agent/clock.ts';

/** A computer whose programs take a while, and whose clock is off. */
function computer({ offMs, latencyMs = 0 }: { offMs: number; latencyMs?: number }) {
  const begun = performance.now();
  let off = offMs;
  let calls = 0;
  const trueTime = () => 1_000_000_000_000 + (performance.now() - begun);
  const shift = async (ms: number) => {
    calls++;
    await delay(latencyMs);
    off += ms;
  };
  const clock = new GuestClock({ wall: () => trueTime() + off, shift });
  return { clock, trueTime, off: () => off, calls: () => calls };
}

t.test('a clock that is as right as can be told says nothing', async (t) => {
  const { clock, trueTime } = computer({ offMs: -20 });
  t.equal(await clock.hear({ type: 'clock', epochMs: trueTime() }), null);
});

t.test('one that is off says what it shows', async (t) => {
  const { clock, trueTime } = computer({ offMs: 3_600_000 });
  const epochMs = trueTime();
  const reading = await clock.hear({ type: 'clock', epochMs });
  t.match(reading, { type: 'clock', version: 1, epochMs });
  t.ok(Math.abs(reading!.guestMs - epochMs - 3_600_000) < 50);
});

t.test('is right when it was set, however long the program takes', async (t) => {
  for (const offMs of [-3_600_000, 3_600_000, 400, -40]) {
    const { clock, trueTime, off, calls } = computer({ offMs, latencyMs: 60 });
    const setting = clock.hear({ type: 'clock', epochMs: trueTime(), set: true });
    t.equal(await clock.hear({ type: 'clock', epochMs: 0 }), null, 'meanwhile it is not asked');
    await clock.hear({ type: 'clock', epochMs: 0, set: true });
    await setting;
    t.ok(Math.abs(off()) < 20, `${off()} ms`);
    t.equal(calls(), 1);
  }
});

t.test('is put back by what it is told, whatever the time is by then', async (t) => {
  const { clock, off } = computer({ offMs: 700 });
  t.equal(await clock.hear({ type: 'clock', epochMs: 0, shiftMs: -700 }), null);
  t.equal(off(), 0);
});

t.test('can be set again after it could not', async (t) => {
  let works = false;
  const shifts: number[] = [];
  const clock = new GuestClock({
    wall: () => 1000,
    async shift(ms) {
      if (!works) throw new Error('failed to set clock time: Operation not permitted');
      shifts.push(ms);
    },
  });
  const word = { type: 'clock', epochMs: 1500, set: true } as const;
  await t.rejects(clock.hear(word), /not permitted/);
  works = true;
  await clock.hear(word);
  t.strictSame(shifts, [500]);
});
