import { ByteReader } from './byte-reader.ts';

export interface TarEntry {
  /** As stored, such as `./usr/bin/x`. */
  readonly name: string;
  readonly type: 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  /** Can be read once, before the next entry is asked for; what is left unread is skipped. */
  readonly body: AsyncIterable<Uint8Array>;
}

const blockSize = 512;
const types = {
  '0': 'file',
  '\0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
} as const;

/**
 * Reads the tar archives that distributions and npm make: ustar, GNU long names, and of pax headers the path
 * and link path. Anything else in them is an error, because it would be lost silently.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source);
  try {
    let longName: string | undefined;
    let longLink: string | undefined;
    while (!(await reader.atEnd())) {
      const header = await reader.read(blockSize);
      if (header.every((byte) => byte === 0)) return;
      checkSum(header);
      const size = numberAt(header, 124, 12);
      const padding = (blockSize - (size % blockSize)) % blockSize;
      const flag = String.fromCharCode(header[156]!);
      if ('LKxg'.includes(flag)) {
        const extra = (await reader.read(size)).toString('utf8');
        await reader.skip(padding);
        if (flag === 'L') longName = untilNul(extra);
        if (flag === 'K') longLink = untilNul(extra);
        if (flag === 'x') {
          const records = paxRecords(extra);
          longName = records.get('path') ?? longName;
          longLink = records.get('linkpath') ?? longLink;
        }
        continue;
      }
      const type = types[flag as keyof typeof types];
      if (type === undefined) throw new Error(`tar entry of unknown type "${flag}"`);
      const body = new Body(reader, type === 'file' ? size : 0);
      yield {
        name: longName ?? headerName(header),
        type,
        mode: numberAt(header, 100, 8) & 0o7777,
        uid: numberAt(header, 108, 8),
        gid: numberAt(header, 116, 8),
        size: body.size,
        mtime: numberAt(header, 136, 12),
        linkName: longLink ?? textAt(header, 157, 100),
        major: numberAt(header, 329, 8),
        minor: numberAt(header, 337, 8),
        body,
      };
      await body.finish();
      if (type === 'file') await reader.skip(padding);
      longName = undefined;
      longLink = undefined;
    }
  } finally {
    await reader.close();
  }
}

class Body implements AsyncIterable<Uint8Array> {
  readonly #reader: ByteReader;
  readonly size: number;
  #left: number;

  constructor(reader: ByteReader, size: number) {
    this.#reader = reader;
    this.size = size;
    this.#left = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const piece of this.#reader.take(this.#left)) {
      this.#left -= piece.length;
      yield piece;
    }
  }

  async finish(): Promise<void> {
    await this.#reader.skip(this.#left);
    this.#left = 0;
  }
}

function headerName(header: Buffer): string {
  const name = textAt(header, 0, 100);
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? textAt(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function checkSum(header: Buffer): void {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockSize; at++) if (at < 148 || at >= 156) sum += header[at]!;
  if (sum !== numberAt(header, 148, 8)) throw new Error('tar header with a wrong checksum');
}

/** Octal text, or GNU's base-256 form when the first bit is set. */
function numberAt(header: Buffer, at: number, length: number): number {
  if (header[at]! & 0x80) return Number(header.readBigUInt64BE(at + length - 8));
  const text = textAt(header, at, length).trim();
  if (!/^[0-7]*$/.test(text)) throw new Error(`tar header with a broken number "${text}"`);
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function textAt(header: Buffer, at: number, length: number): string {
  return untilNul(header.toString('utf8', at, at + length));
}

function untilNul(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** `LENGTH KEY=VALUE\n`, length in bytes of the whole record. Only text values are expected. */
function paxRecords(text: string): Map<string, string> {
  const records = new Map<string, string>();
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    const length = Number.parseInt(rest.toString('latin1', 0, 20), 10);
    const record = rest.toString('utf8', 0, length).match(/^\d+ ([^=]+)=(.*)\n$/s);
    if (record === null) throw new Error('broken pax header in a tar archive');
    const [, key, value] = record;
    if (key!.startsWith('SCHILY.xattr.') || key === 'size')
      throw new Error(`tar archive with "${key}", which is not supported`);
    records.set(key!, value!);
    rest = rest.subarray(length);
  }
  return records;
}
