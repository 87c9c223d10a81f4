/**
 * What a health check knows of a container, in the wire's shape (inspect's State.Health).
 *
 *              success                 `retries` failures in a row
 *   starting ─────────> healthy <────────────────────────> unhealthy
 *      │ (failures within the start period    success          ▲
 *      │  are not counted)                                     │
 *      └── `retries` failures after it, or the check stops ────┘
 *
 * A check that is not running (the container is paused or has ended) leaves `unhealthy`, as with dockerd.
 */
export interface Health {
  readonly Status: 'starting' | 'healthy' | 'unhealthy';
  /** Failures in a row that counted. */
  readonly FailingStreak: number;
  /** The last {@link rememberedProbes}, oldest first. */
  readonly Log: readonly ProbeResult[];
}

export interface ProbeResult {
  /** ISO times. */
  readonly Start: string;
  readonly End: string;
  /** 0 = healthy; -1 = could not be run, or not in time. */
  readonly ExitCode: number;
  readonly Output: string;
}

export const rememberedProbes = 5;

/** Of a run that begins; what earlier runs logged stays to be read. */
export function startingHealth(before: Health | undefined): Health {
  return { Status: 'starting', FailingStreak: 0, Log: before?.Log ?? [] };
}

/** After one probe of a run that began at `startedAt` (ISO). */
export function nextHealth(
  health: Health,
  result: ProbeResult,
  check: { readonly retries: number; readonly startPeriodMs: number; readonly startedAt: string },
): Health {
  const Log = [...health.Log, result].slice(-rememberedProbes);
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
  const age = Date.parse(result.Start) - Date.parse(check.startedAt);
  if (health.Status === 'starting' && age < check.startPeriodMs) return { ...health, Log };
  const FailingStreak = health.FailingStreak + 1;
  return { Status: FailingStreak >= check.retries ? 'unhealthy' : health.Status, FailingStreak, Log };
}
