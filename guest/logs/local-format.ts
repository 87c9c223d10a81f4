import type { LogEntry, LogFormat } from './log-entry.ts';

/**
 * The `local` driver's records: small, and bytes as they came.
 *
 *   u32  bytes from here to the end of the line
 *   u64  nanoseconds since 1970
 *   u8   1 = stdout, 2 = stderr
 *   u16  bytes of JSON that follow: the attributes
 *        the line
 *   u32  the first number again: who reads a torn record sees it
 *
 * Numbers are big-endian.
 */
export const localFormat: LogFormat = {
  encode({ line, stream, time, attributes }) {
    const json = attributes ? Buffer.from(JSON.stringify(attributes)) : Buffer.alloc(0);
    const bytes = headBytes + json.length + line.length;
    const record = Buffer.allocUnsafe(bytes + 8);
    record.writeUInt32BE(bytes, 0);
    record.writeBigUInt64BE(time, 4);
    record.writeUInt8(streams.indexOf(stream) + 1, 12);
    record.writeUInt16BE(json.length, 13);
    json.copy(record, 15);
    line.copy(record, 15 + json.length);
    record.writeUInt32BE(bytes, bytes + 4);
    return record;
  },
  decode(data) {
    const entries: LogEntry[] = [];
    let at = 0;
    for (;;) {
      const bytes = at + 4 <= data.length ? data.readUInt32BE(at) : 0;
      const end = at + bytes + 8;
      if (bytes < headBytes || end > data.length || data.readUInt32BE(end - 4) !== bytes) break;
      const entry = parse(data.subarray(at + 4, end - 4));
      if (entry) entries.push(entry);
      at = end;
    }
    return { entries, bytes: at };
  },
  startBefore(data, end) {
    const start = end < 4 ? -1 : end - data.readUInt32BE(end - 4) - 8;
    return start < 0 ? null : start;
  },
};

const headBytes = 11;
const streams = ['stdout', 'stderr'] as const;
/** What a record can hold of attributes. */
export const maxAttributeBytes = 0xffff;

function parse(record: Buffer): LogEntry | null {
  const stream = streams[record.readUInt8(8) - 1];
  const lineStart = headBytes + record.readUInt16BE(9);
  if (!stream || lineStart > record.length) return null;
  const json = record.toString('utf8', headBytes, lineStart);
  try {
    return {
      stream,
      time: record.readBigUInt64BE(0),
      line: record.subarray(lineStart),
      attributes: json ? JSON.parse(json) : null,
    };
  } catch {
    return null;
  }
}
