import { Option } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';

export interface SuspendFlags {
  readonly suspendAfter?: string;
}

export function suspendFlag(): Option {
  return new Option(
    '--suspend-after <TIME>',
    'suspend the machine when it has been idle for so long, such as 10m, until somebody connects (default: never)',
  );
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
/** It takes some seconds to see that nobody comes meanwhile. */
const leastMs = 10_000;

/** Milliseconds; null for `never`. Throws InvalidArgument. */
export function suspendAfterMs(text: string): number | null {
  if (text === 'never') return null;
  const [, number, unit] = /^(\d{1,5})([smh])$/.exec(text) ?? [];
  const ms = Number(number) * (units[unit ?? ''] ?? Number.NaN);
  if (ms >= leastMs) return ms;
  throw new InvalidArgument(
    `--suspend-after ${text}: expected a time of 10s or more, such as 10m or 1h, or never`,
  );
}
