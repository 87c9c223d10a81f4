import t from 'tap';
import { suspendAfterMs } from '../../cli/flags/suspend-after.ts';

t.test('times have a unit, and are long enough to see that nobody comes', async (t) => {
  for (const [text, ms] of [
    ['10s', 10_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['never', null],
  ] as const)
    t.equal(suspendAfterMs(text), ms);
  for (const text of ['', '10', '9s', '0m', '-5m', '1d', '1.5h', 'soon'])
    t.throws(() => suspendAfterMs(text), { message: /expected a time of 10s or more/ }, text);
});
