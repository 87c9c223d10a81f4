import { InvalidParameter } from '../errors.ts';

/**
 * Extended header records (POSIX pax, "pax Extended Header"): `LENGTH KEY=VALUE\n`, where the length counts
 * the whole record. Values are bytes: an extended attribute may hold NULs and newlines.
 */
export function parsePax(body: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  let offset = 0;
  while (offset < body.length) {
    const space = body.indexOf(0x20, offset);
    const digits = space < 0 ? '' : body.toString('latin1', offset, Math.min(space, offset + 11));
    const end = offset + Number(digits);
    const equals = body.indexOf(0x3d, space);
    const wellFormed =
      /^[0-9]{1,10}$/.test(digits) &&
      end <= body.length &&
      equals > space + 1 &&
      equals < end - 1 &&
      body[end - 1] === 0x0a;
    if (!wellFormed) throw new InvalidParameter('malformed tar: an extended header record is broken');
    records.set(body.toString('latin1', space + 1, equals), body.subarray(equals + 1, end - 1));
    offset = end;
  }
  return records;
}

export function formatPax(records: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Uint8Array[] = [];
  for (const [key, value] of records) {
    // The length counts its own digits, so adding them may add one more.
    const rest = key.length + value.length + 3;
    let length = rest + String(rest).length;
    if (rest + String(length).length !== length) length = rest + String(length).length;
    parts.push(Buffer.from(`${length} ${key}=`, 'latin1'), value, Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

/** Seconds with an optional fraction, as nanoseconds; digits past the ninth are dropped. */
export function parsePaxTime(text: string): bigint {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (!match) throw new InvalidParameter('malformed tar: a time in an extended header is not a number');
  const [, sign, seconds, fraction = ''] = match;
  const ns = BigInt(seconds!) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -ns : ns;
}

export function formatPaxTime(ns: bigint): string {
  const absolute = ns < 0n ? -ns : ns;
  const fraction = String(absolute % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${ns < 0n ? '-' : ''}${absolute / 1_000_000_000n}${fraction && `.${fraction}`}`;
}

/** A whole number that is not negative. */
export function parsePaxNumber(text: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new InvalidParameter('malformed tar: a number in an extended header is not a number');
  }
  return value;
}
