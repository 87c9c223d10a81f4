/** What `labels`, `env` and `tag` of the log options put beside each line. */
export type LogAttributes = Readonly<Record<string, string>>;

export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** One line with its newline, or part of a long one without. */
  readonly line: Buffer;
  readonly attributes: LogAttributes | null;
}

/** Docker cuts lines into parts of this many bytes (moby, daemon/logger copier). */
export const maxLineBytes = 16 * 1024;

/** A file's way of holding entries. */
export interface LogFormat {
  encode(entry: LogEntry): Buffer | string;
  /** The entries at the beginning of `data`, and the bytes they take; the rest is no whole entry. */
  decode(data: Buffer): { readonly entries: readonly LogEntry[]; readonly bytes: number };
  /** Where, in `data`, which ends with an entry, the one before the position `end` begins; null: not in it. */
  startBefore(data: Buffer, end: number): number | null;
}

let last = 0n;

/** Now, as clients sort by it: never twice the same. */
export function logTime(now: () => number = Date.now): bigint {
  const clock = BigInt(Math.round(now())) * 1_000_000n;
  last = clock > last ? clock : last + 1n;
  return last;
}

let second = { number: -1, text: '' };

/** RFC 3339 with all nine digits of the fraction, as clients are shown it. */
export function formatLogTime(time: bigint): string {
  const number = Number(time / 1_000_000_000n);
  if (number !== second.number) second = { number, text: new Date(number * 1000).toISOString().slice(0, 19) };
  return `${second.text}.${`${time % 1_000_000_000n}`.padStart(9, '0')}Z`;
}

/** RFC 3339 with up to nine digits. Null when it is no time. */
export function parseRfc3339(text: string): bigint | null {
  const parts = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  const seconds = parts ? Date.parse(`${parts[1]}T${parts[2]}${parts[4]!.toUpperCase()}`) / 1000 : Number.NaN;
  if (Number.isNaN(seconds)) return null;
  return BigInt(seconds) * 1_000_000_000n + BigInt((parts![3] ?? '').padEnd(9, '0'));
}
