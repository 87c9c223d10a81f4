export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  /** One line with its newline, or part of a long one without. */
  readonly log: string;
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
}

/** Docker cuts lines into parts of this many bytes (moby, daemon/logger copier). */
export const maxLineBytes = 16 * 1024;

let last = 0n;

/** Now, as clients sort by it: never twice the same. */
export function timestamp(now: () => number = Date.now): string {
  const clock = BigInt(Math.round(now())) * 1_000_000n;
  last = clock > last ? clock : last + 1n;
  const nanoseconds = `${last % 1_000_000_000n}`.padStart(9, '0');
  return `${new Date(Number(last / 1_000_000n)).toISOString().slice(0, 19)}.${nanoseconds}Z`;
}

/** Docker's json-file line. Keys in its order; bytes that are no UTF-8 become U+FFFD, as there. */
export function encodeEntry({ log, stream, time }: LogEntry): string {
  return `${JSON.stringify({ log, stream, time })}\n`;
}
