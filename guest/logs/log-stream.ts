import { Readable } from 'node:stream';
import { InvalidParameter } from '../errors.ts';
import { frame } from '../frames.ts';
import type { ContainerLog } from './container-log.ts';
import { formatLogTime, type LogAttributes, type LogEntry, parseRfc3339 } from './log-entry.ts';
import { type LogQuery, readLog } from './read-log.ts';

export interface LogShape {
  readonly timestamps: boolean;
  readonly details: boolean;
  /** Not framed: the container has a terminal. */
  readonly terminal: boolean;
}

/** Log entries as clients read them. */
export function logStream(
  log: ContainerLog,
  query: LogQuery & LogShape,
  signals: { readonly signal: AbortSignal; readonly ended: AbortSignal },
): Readable {
  async function* chunks() {
    const inLine = { stdout: false, stderr: false };
    for await (const entry of readLog(log, query, signals)) {
      const { stream, line } = entry;
      // Parts of a long line are one line to the reader.
      const data = inLine[stream] ? line : Buffer.concat([Buffer.from(prefix(entry, query)), line]);
      inLine[stream] = line.at(-1) !== 0x0a;
      yield query.terminal ? data : frame(stream, data);
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}

function prefix({ time, attributes }: LogEntry, { timestamps, details }: LogShape): string {
  return `${timestamps ? `${formatLogTime(time)} ` : ''}${details ? `${listed(attributes)} ` : ''}`;
}

/** `name=value,...`, sorted, escaped as Go's url.QueryEscape does. */
function listed(attributes: LogAttributes | null): string {
  const escaped = (text: string) =>
    encodeURIComponent(text)
      .replaceAll('%20', '+')
      .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const names = Object.keys(attributes ?? {}).sort();
  return names.map((name) => `${escaped(name)}=${escaped(attributes![name]!)}`).join(',');
}

/** `since` and `until`: seconds (with a fraction), or RFC 3339. Null when empty or 0. Throws InvalidParameter. */
export function parseLogTime(text: string | undefined, name: string): bigint | null {
  if (!text || text === '0') return null;
  const seconds = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  if (seconds) return BigInt(seconds[1]!) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'));
  const time = parseRfc3339(text);
  if (time === null) throw new InvalidParameter(`invalid value for "${name}": ${text}`);
  return time;
}
