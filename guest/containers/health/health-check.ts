import { InvalidParameter } from '../../errors.ts';
import type { ContainerConfig } from '../../schema/container.ts';
import type { Health } from './health.ts';

/** A container's health check with dockerd's defaults filled in. */
export interface HealthCheck {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

type Healthcheck = NonNullable<ContainerConfig['Healthcheck']>;

const durations = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;
const nsPerMs = 1e6;
/** setTimeout() takes no more (25 days). */
const longestMs = 2 ** 31 - 1;

/** What the client leaves open is the image's. */
export function mergeHealthcheck(
  own: Healthcheck | null | undefined,
  image: Healthcheck | null | undefined,
): Healthcheck | null {
  if (!own || !image) return own ?? image ?? null;
  return {
    Test: own.Test && own.Test.length > 0 ? own.Test : image.Test,
    Interval: own.Interval || image.Interval,
    Timeout: own.Timeout || image.Timeout,
    StartPeriod: own.StartPeriod || image.StartPeriod,
    StartInterval: own.StartInterval || image.StartInterval,
    Retries: own.Retries || image.Retries,
  };
}

/** Throws InvalidParameter in dockerd's words. */
export function assertHealthcheck(healthcheck: Healthcheck | null | undefined): void {
  if (!healthcheck) return;
  for (const name of durations) {
    const value = healthcheck[name];
    if (value !== 0 && value < nsPerMs)
      throw new InvalidParameter(`${name} in Healthcheck cannot be less than 1ms`);
  }
  if (healthcheck.Retries < 0) throw new InvalidParameter('Retries in Healthcheck cannot be negative');
  const [kind, ...command] = healthcheck.Test ?? [];
  if (kind === undefined || kind === 'NONE') return;
  if (kind !== 'CMD' && kind !== 'CMD-SHELL')
    throw new InvalidParameter(
      `unknown type of health check: ${JSON.stringify(kind)}; use CMD, CMD-SHELL or NONE`,
    );
  if (command.length === 0) throw new InvalidParameter('the health check has no command');
}

/** Null when there is none, or it was turned off (`NONE`). */
export function healthCheckOf(config: Pick<ContainerConfig, 'Healthcheck' | 'Shell'>): HealthCheck | null {
  const { Healthcheck: asked } = config;
  const [kind, ...words] = asked?.Test ?? [];
  if (!asked || kind === undefined || kind === 'NONE') return null;
  const ms = (ns: number, otherwise: number) => Math.min(ns === 0 ? otherwise : ns / nsPerMs, longestMs);
  return {
    command: kind === 'CMD-SHELL' ? [...(config.Shell ?? ['/bin/sh', '-c']), ...words] : words,
    intervalMs: ms(asked.Interval, 30_000),
    timeoutMs: ms(asked.Timeout, 30_000),
    startPeriodMs: ms(asked.StartPeriod, 0),
    startIntervalMs: ms(asked.StartInterval, 5_000),
    retries: asked.Retries || 3,
  };
}

/** From the end of one probe, or from the start of the container, to the next probe. */
export function probeDelayMs(check: HealthCheck, status: Health['Status'], ageMs: number): number {
  return status === 'starting' && ageMs < check.startPeriodMs ? check.startIntervalMs : check.intervalMs;
}
