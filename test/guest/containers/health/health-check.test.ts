import t from 'tap';
import {
  assertHealthcheck,
  healthCheckOf,
  mergeHealthcheck,
  probeDelayMs,
} from '../../../../guest/containers/health/health-check.ts';
import { containerConfig, healthcheck } from '../../../../guest/schema/container.ts';

const second = 1e9;
const of = (asked: object | null, more: object = {}) =>
  healthCheckOf(containerConfig.parse({ Healthcheck: asked, ...more }));

t.test('what is left open is as dockerd has it', async (t) => {
  t.same(of({ Test: ['CMD', 'true', 'x'] }), {
    command: ['true', 'x'],
    intervalMs: 30_000,
    timeoutMs: 30_000,
    startPeriodMs: 0,
    startIntervalMs: 5_000,
    retries: 3,
  });
  t.match(of({ Test: ['CMD-SHELL', 'a b'] }), { command: ['/bin/sh', '-c', 'a b'] });
  t.match(of({ Test: ['CMD-SHELL', 'a b'] }, { Shell: ['/bin/ash', '-ec'] }), {
    command: ['/bin/ash', '-ec', 'a b'],
  });
  t.match(of({ Test: ['CMD', 'a'], Interval: 100 * 86_400 * second }), { intervalMs: 2 ** 31 - 1 });
  for (const none of [null, {}, { Test: [] }, { Test: ['NONE'] }]) t.equal(of(none), null);
});

t.test("the client's words come before the image's, one by one", async (t) => {
  const image = healthcheck.parse({ Test: ['CMD', 'image'], Interval: second, Retries: 7 });
  t.same(mergeHealthcheck(healthcheck.parse({ Interval: 2 * second }), image), {
    ...image,
    Interval: 2 * second,
  });
  t.same(mergeHealthcheck(healthcheck.parse({ Test: ['NONE'] }), image)?.Test, ['NONE']);
  t.same(mergeHealthcheck(null, image), image);
  t.same(mergeHealthcheck(image, undefined), image);
  t.equal(mergeHealthcheck(null, undefined), null);
});

t.test('nonsense is refused', async (t) => {
  const table: readonly (readonly [object, RegExp])[] = [
    [{ Interval: 1000 }, /^Interval in Healthcheck cannot be less than 1ms$/],
    [{ Timeout: -1 }, /Timeout in Healthcheck cannot be less than 1ms/],
    [{ StartPeriod: 5 }, /StartPeriod in/],
    [{ StartInterval: 5 }, /StartInterval in/],
    [{ Retries: -1 }, /Retries in Healthcheck cannot be negative/],
    [{ Test: ['PING'] }, /unknown type of health check: "PING"; use CMD, CMD-SHELL or NONE/],
    [{ Test: ['CMD'] }, /no command/],
  ];
  for (const [asked, error] of table)
    t.throws(() => assertHealthcheck(healthcheck.parse(asked)), { message: error });
  for (const fine of [{}, { Test: [] }, { Test: ['NONE'] }])
    t.doesNotThrow(() => assertHealthcheck(healthcheck.parse(fine)));
  t.doesNotThrow(() => assertHealthcheck(null));
});

t.test('the start interval is for the start period alone', async (t) => {
  const check = of({ Test: ['CMD', 'a'], StartPeriod: 10 * second, StartInterval: second })!;
  t.equal(probeDelayMs(check, 'starting', 9_999), 1_000);
  t.equal(probeDelayMs(check, 'starting', 10_000), 30_000);
  t.equal(probeDelayMs(check, 'healthy', 0), 30_000);
});
