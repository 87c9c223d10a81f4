import t from 'tap';
import {
  type Health,
  nextHealth,
  type ProbeResult,
  rememberedProbes,
  startingHealth,
} from '../../../../guest/containers/health/health.ts';

const startedAt = '2026-01-01T00:00:00.000Z';
const at = (seconds: number) => new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
const probed = (ExitCode: number, seconds: number): ProbeResult => ({
  Start: at(seconds),
  End: at(seconds + 1),
  ExitCode,
  Output: '',
});
const check = { retries: 2, startPeriodMs: 10_000, startedAt };
const run = (from: Health, ...probes: readonly (readonly [exitCode: number, seconds: number])[]) =>
  probes.reduce((health, [code, seconds]) => nextHealth(health, probed(code, seconds), check), from);

t.test('health follows the probes as dockerd has it', async (t) => {
  const start = startingHealth(undefined);
  const table: readonly (readonly [string, Health, Partial<Health>])[] = [
    ['a success is enough', run(start, [0, 1]), { Status: 'healthy', FailingStreak: 0 }],
    [
      'failures of the start period do not count',
      run(start, [1, 1], [1, 5], [-1, 9.9]),
      { Status: 'starting', FailingStreak: 0 },
    ],
    [
      'later ones do, and retries of them are too many',
      run(start, [1, 5], [1, 10], [1, 11]),
      { Status: 'unhealthy', FailingStreak: 2 },
    ],
    ['one failure is not enough', run(start, [1, 12]), { Status: 'starting', FailingStreak: 1 }],
    [
      'after a success the start period is over',
      run(start, [0, 1], [1, 2], [1, 3]),
      { Status: 'unhealthy', FailingStreak: 2 },
    ],
    [
      'a success forgets failures',
      run(start, [0, 1], [1, 2], [0, 3], [1, 4]),
      { Status: 'healthy', FailingStreak: 1 },
    ],
    ['and heals', run(start, [1, 20], [1, 21], [0, 22]), { Status: 'healthy', FailingStreak: 0 }],
  ];
  for (const [title, health, expected] of table) t.match(health, expected, title);
});

t.test('the last five probes are remembered, through a restart too', async (t) => {
  const health = run(startingHealth(undefined), [0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [7, 6]);
  t.same(
    health.Log.map(({ Start }) => Start),
    [2, 3, 4, 5, 6].map(at),
  );
  t.equal(health.Log.length, rememberedProbes);
  t.same(startingHealth(health), { Status: 'starting', FailingStreak: 0, Log: health.Log });
});
