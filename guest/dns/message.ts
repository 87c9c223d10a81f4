/** As much of the DNS wire format (RFC 1035, section 4) as answering takes. */
export const recordTypes = { A: 1, CNAME: 5, PTR: 12, AAAA: 28, OPT: 41 } as const;
export const responseCodes = {
  ok: 0,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

export interface Question {
  /** Lower case, without the last dot; a dot inside a label is `\.`. */
  readonly name: string;
  readonly type: number;
  /** Where the question ends in the message. */
  readonly end: number;
}

/** What a query says of itself by EDNS (RFC 6891). */
export interface Edns {
  /** The largest datagram that the asker takes. */
  readonly payloadBytes: number;
  /** It wants signatures (RFC 3225). */
  readonly dnssec: boolean;
}

/** A record in a message, by its place there. */
export interface RecordPlace {
  readonly type: number;
  readonly dataStart: number;
  readonly end: number;
}

const headerBytes = 12;
const internetClass = 1;
/** What we take by datagram ourselves; it passes every link (dnsflagday.net/2020). */
const ownPayloadBytes = 1232;
/** Ours, without options: root name, type, size, no extended code, version 0, no flags, no data. */
export const ownOpt = Buffer.from([
  0,
  0,
  recordTypes.OPT,
  ownPayloadBytes >> 8,
  ownPayloadBytes & 255,
  0,
  0,
  0,
  0,
  0,
  0,
]);

/** Null for anything but a plain query with one question of class IN. */
export function parseQuestion(message: Buffer): Question | null {
  // A response, or an operation other than QUERY.
  if (message.length < headerBytes || (message[2]! & 0xf8) !== 0) return null;
  return questionOf(message);
}

/** Of a query or of its response; null when it has not one of class IN. */
export function questionOf(message: Buffer): Question | null {
  if (message.length < headerBytes || message.readUInt16BE(4) !== 1) return null;
  const labels: string[] = [];
  let at = headerBytes;
  for (;;) {
    const length = message[at++];
    // A question is first in its message: it has nothing to point back to.
    if (length === undefined || length > 63) return null;
    if (length === 0) break;
    if (at + length > message.length) return null;
    labels.push(message.toString('latin1', at, at + length).replaceAll('.', '\\.'));
    at += length;
  }
  if (at + 4 > message.length || message.readUInt16BE(at + 2) !== internetClass) return null;
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at), end: at + 4 };
}

/** Records after the question, of all sections, in their order, as far as the message is whole. */
export function* recordsOf(message: Buffer, { end }: Question): Generator<RecordPlace> {
  const count = [6, 8, 10].reduce((sum, at) => sum + message.readUInt16BE(at), 0);
  let at = end;
  for (let i = 0; i < count; i++) {
    const head = afterName(message, at);
    if (head === null || head + 10 > message.length) return;
    const dataStart = head + 10;
    const dataEnd = dataStart + message.readUInt16BE(head + 8);
    if (dataEnd > message.length) return;
    yield { type: message.readUInt16BE(head), dataStart, end: dataEnd };
    at = dataEnd;
  }
}

/** Null for a query without it. */
export function ednsOf(query: Buffer, question: Question): Edns | null {
  for (const { type, dataStart } of recordsOf(query, question))
    if (type === recordTypes.OPT)
      return {
        payloadBytes: query.readUInt16BE(dataStart - 8),
        dnssec: (query[dataStart - 4]! & 0x80) !== 0,
      };
  return null;
}

export function responseCode(response: Buffer): number {
  return response[3]! & 0x0f;
}

/** How many records its answer section has. */
export function answerCount(response: Buffer): number {
  return response.readUInt16BE(6);
}

export function isTruncated(response: Buffer): boolean {
  return (response[2]! & 0x02) !== 0;
}

export interface ResponseParts {
  readonly code: number;
  /** Data of records of the question's own name. */
  readonly records: readonly Buffer[];
  readonly ttlSeconds: number;
  /** Of the records; else the question's. */
  readonly type?: number;
  /** Nobody knows better. */
  readonly authoritative?: boolean;
}

/** The response to a query with these records. */
export function response(
  query: Buffer,
  question: Question,
  { code, records, ttlSeconds, type = question.type, authoritative = true }: ResponseParts,
): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  // QR, AA and RA; the wish for recursion as it came.
  header[2] = 0x80 | (authoritative ? 0x04 : 0) | (query[2]! & 0x01);
  header[3] = 0x80 | code;
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const answers = records.map((data) => {
    const head = Buffer.alloc(12);
    // A pointer to the question's name.
    head.writeUInt16BE(0xc000 | headerBytes, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(internetClass, 4);
    head.writeUInt32BE(ttlSeconds, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  });
  const opt = ednsOf(query, question) === null ? [] : [ownOpt];
  header.writeUInt16BE(opt.length, 10);
  return Buffer.concat([header, query.subarray(headerBytes, question.end), ...answers, ...opt]);
}

/** Where a record's name has ended: it is labels, and a pointer or the root. */
function afterName(message: Buffer, start: number): number | null {
  for (let at = start; ; ) {
    const length = message[at];
    if (length === undefined) return null;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return null;
    at += 1 + length;
  }
}
