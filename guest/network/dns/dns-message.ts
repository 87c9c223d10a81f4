import { formatAddress, parseAddress } from '../addressing/ip.ts';

/** As much of the DNS wire format (RFC 1035, section 4) as answering for our own names takes. */
export const recordTypes = { A: 1, PTR: 12, AAAA: 28 } as const;
export const responseCodes = { ok: 0, serverFailure: 2, nameError: 3 } as const;

export interface Question {
  /** Lower case, without the last dot. */
  readonly name: string;
  readonly type: number;
  /** Where the question ends in the message. */
  readonly end: number;
}

const headerBytes = 12;
const internetClass = 1;

/** Null for anything but a plain query with one question of class IN. */
export function parseQuestion(message: Buffer): Question | null {
  if (message.length < headerBytes || message.readUInt16BE(4) !== 1) return null;
  // A response, or an operation other than QUERY.
  if ((message[2]! & 0xf8) !== 0) return null;
  const labels: string[] = [];
  let at = headerBytes;
  for (;;) {
    const length = message[at++];
    // A question is first in its message: it has nothing to point back to.
    if (length === undefined || length > 63) return null;
    if (length === 0) break;
    if (at + length > message.length) return null;
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > message.length || message.readUInt16BE(at + 2) !== internetClass) return null;
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at), end: at + 4 };
}

/** The response to a query with these records, all of the question's own name and type. */
export function response(
  query: Buffer,
  question: Question,
  { code, records, ttlSeconds }: { code: number; records: readonly Buffer[]; ttlSeconds: number },
): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  // QR, AA and RA; the wish for recursion as it came.
  header[2] = 0x84 | (query[2]! & 0x01);
  header[3] = 0x80 | code;
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const answers = records.map((data) => {
    const head = Buffer.alloc(12);
    // A pointer to the question's name.
    head.writeUInt16BE(0xc000 | headerBytes, 0);
    head.writeUInt16BE(question.type, 2);
    head.writeUInt16BE(internetClass, 4);
    head.writeUInt32BE(ttlSeconds, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  });
  return Buffer.concat([header, query.subarray(headerBytes, question.end), ...answers]);
}

/** Data of an A or AAAA record. */
export function addressData(text: string): Buffer {
  const { family, value } = parseAddress(text)!;
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex');
}

/** Data of a PTR record. */
export function nameData(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1').subarray(0, 63));
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), label]),
    Buffer.from([0]),
  ]);
}

/**
 * `2.0.18.172.in-addr.arpa` is 172.18.0.2; IPv6 has 32 hex digits before `ip6.arpa` (RFC 3596, 2.5). Null for
 * other names.
 */
export function reverseAddress(name: string): string | null {
  const quad = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (quad) return quad.slice(1).reverse().join('.');
  const digits = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  if (!digits) return null;
  const value = BigInt(`0x${digits.split('.').reverse().join('')}`);
  return formatAddress({ family: 6, value });
}
