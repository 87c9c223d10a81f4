import { Readable } from 'node:stream';
import { frame } from '../api/frames.ts';
import { InvalidParameter } from '../errors.ts';
import type { JsonFileLog } from './json-file-log.ts';
import { type LogQuery, readLog } from './read-log.ts';

/** Log entries as clients read them: the lines, framed unless the container had a terminal. */
export function logStream(
  log: JsonFileLog,
  query: LogQuery & { readonly timestamps: boolean; readonly terminal: boolean },
  signals: { readonly signal: AbortSignal; readonly ended: AbortSignal },
): Readable {
  async function* chunks() {
    let atLineStart = true;
    for await (const { stream, log: text, time } of readLog(log, query, signals)) {
      const data = Buffer.from(query.timestamps && atLineStart ? `${time} ${text}` : text);
      // Parts of a long line are one line to the reader.
      atLineStart = text.endsWith('\n');
      yield query.terminal ? data : frame(stream, data);
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}

/** `since` and `until`: seconds (with a fraction), or RFC 3339. Null when empty or 0. Throws InvalidParameter. */
export function parseLogTime(text: string | undefined, name: string): string | null {
  if (!text || text === '0') return null;
  const seconds = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (seconds) {
    const whole = new Date(Number(seconds[1]) * 1000);
    if (Number.isNaN(whole.getTime())) throw new InvalidParameter(`invalid value for "${name}": ${text}`);
    return `${whole.toISOString().slice(0, 19)}.${(seconds[2] ?? '').padEnd(9, '0')}Z`;
  }
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidParameter(`invalid value for "${name}": ${text}`);
  return `${time.toISOString().slice(0, 23)}000000Z`;
}
