import t from 'tap';
import { GuestClock } from '../../../guest/agent/clock.ts';

/** A computer whose `date` takes a while, and whose clock is off. */
function computer({ offMs, latencyMs }: { offMs: number; latencyMs: number }) {
  const begun = performance.now();
  const calls: number[] = [];
  let off = offMs;
  const steady = () => performance.now();
  const trueTime = () => 1_000_000_000_000 + (steady() - begun);
  const wall = () => trueTime() + off;
  const setTo = async (seconds: number, at: Promise<unknown>) => {
    await at;
    await new Promise((resolve) => setTimeout(resolve, latencyMs));
    calls.push(seconds);
    off = seconds * 1000 - trueTime();
  };
  return { clock: new GuestClock({ wall, steady, setTo }), trueTime, off: () => off, calls };
}

t.test('a clock that is as right as can be told says nothing', async (t) => {
  const { clock, trueTime } = computer({ offMs: -20, latencyMs: 0 });
  t.equal(clock.compare({ type: 'clock', epochMs: trueTime() }), null);
});

t.test('one that is off says what it shows', async (t) => {
  const { clock, trueTime } = computer({ offMs: 3_600_000, latencyMs: 0 });
  const epochMs = trueTime();
  const reading = clock.compare({ type: 'clock', epochMs });
  t.match(reading, { type: 'clock', version: 1, epochMs });
  t.ok(Math.abs(reading!.guestMs - epochMs - 3_600_000) < 50);
});

t.test('one that is wrong by hours is right to a second at once, and exact a little later', async (t) => {
  const { clock, trueTime, off } = computer({ offMs: -3_600_000, latencyMs: 20 });
  await clock.follow(trueTime(), (error) => t.fail(String(error)));
  t.ok(Math.abs(off()) <= 600, `${off()} ms`);
  const deadline = performance.now() + 5000;
  while (Math.abs(off()) >= 30 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  t.ok(Math.abs(off()) < 30, `${off()} ms`);
});

t.test('is set to within hundredths of a second, by programs that set seconds and are slow', async (t) => {
  for (const offMs of [-3_600_000, 3_600_000, 400]) {
    const { clock, trueTime, off, calls } = computer({ offMs, latencyMs: 60 });
    const setting = clock.set(trueTime());
    t.equal(clock.compare({ type: 'clock', epochMs: 0 }), null, 'meanwhile it is not asked');
    await clock.set(0);
    await setting;
    t.ok(Math.abs(off()) < 30, `${off()} ms after ${calls.length} calls`);
    t.ok(calls.length >= 2);
    const before = calls.length;
    await clock.set(trueTime());
    t.equal(calls.length - before, 1, 'it has learnt how long that takes');
    t.ok(Math.abs(off()) < 30, `${off()} ms`);
  }
});
