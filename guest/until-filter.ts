import { InvalidParameter } from './errors.ts';

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/**
 * The filter `until` of a prune, in milliseconds since 1970: what was made before that goes. Unix seconds, a
 * date, or how long ago (`24h`, `1h30m`). Infinity when it is not given. Throws InvalidParameter.
 */
export function untilFilter(
  filters: ReadonlyMap<string, readonly string[]>,
  now: number = Date.now(),
): number {
  const values = filters.get('until') ?? [];
  if (values.length === 0) return Number.POSITIVE_INFINITY;
  if (values.length > 1) throw new InvalidParameter('more than one until filter specified');
  return parseTime(values[0]!, now);
}

/** One value of it. */
export function parseTime(text: string, now: number): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) {
    let ago = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g))
      ago += Number(amount) * units[unit!]!;
    return now - ago;
  }
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new InvalidParameter(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return time;
}
