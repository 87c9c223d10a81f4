import { formatLogTime, type LogEntry, type LogFormat, parseRfc3339 } from './log-entry.ts';

/**
 * Docker's json-file: a JSON object a line, keys in its order (moby, daemon/logger/jsonfilelog). Bytes that are
 * no UTF-8 become U+FFFD, as there.
 */
export const jsonFormat: LogFormat = {
  encode({ line, stream, time, attributes }) {
    const attrs = attributes ? `,"attrs":${JSON.stringify(attributes)}` : '';
    return `{"log":${JSON.stringify(line.toString())},"stream":"${stream}"${attrs},"time":"${formatLogTime(time)}"}\n`;
  },
  decode(data) {
    const bytes = data.lastIndexOf(0x0a) + 1;
    const lines = data.toString('utf8', 0, bytes).split('\n');
    return { entries: lines.map(parse).filter((entry) => entry !== null), bytes };
  },
  startBefore(data, end) {
    const newline = end < 2 ? -1 : data.lastIndexOf(0x0a, end - 2);
    return newline < 0 ? null : newline + 1;
  },
};

/** Null for a line that a power cut has torn. */
function parse(text: string): LogEntry | null {
  try {
    if (text === '') return null;
    const { log, stream, time, attrs } = JSON.parse(text);
    const parsed = parseRfc3339(time);
    return parsed === null
      ? null
      : { line: Buffer.from(log), stream, time: parsed, attributes: attrs ?? null };
  } catch {
    return null;
  }
}
