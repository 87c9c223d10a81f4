import t from 'tap';
import { untilFilter } from '../../guest/until-filter.ts';

const until = (...values: string[]) => untilFilter(new Map([['until', values]]), 10_000_000);

t.test('seconds, dates and durations', async (t) => {
  t.equal(until('1.5'), 1500);
  t.equal(until('1970-01-01T00:00:02Z'), 2000);
  t.equal(until('1970-01-01T01:00:02+01:00'), 2000);
  t.equal(until('1h1m1s1ms'), 10_000_000 - 3_661_001);
  t.equal(until('0.5h'), 10_000_000 - 1_800_000);
  t.equal(untilFilter(new Map()), Number.POSITIVE_INFINITY);
});

t.test('anything else is refused', async (t) => {
  for (const text of ['', '1d', 'h', '1h x', 'yesterday', '-1h'])
    t.throws(
      () => until(text),
      { name: 'InvalidParameter', message: /^failed to parse value as time or duration: "/ },
      text,
    );
  t.throws(() => until('1', '2'), /more than one until filter specified/);
});
