/**
 * The bytes of Protocol Buffers (protobuf.dev, "Encoding"): varints, length-delimited values, tags. Only what
 * BuildKit's messages use; groups and fixed-width fields can be skipped, not read.
 */
export class Writer {
  readonly #parts: Uint8Array[] = [];

  varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#parts.push(Uint8Array.from(bytes));
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, wireTypes.bytes);
    this.varint(value.length);
    this.#parts.push(value);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Throws MalformedMessage for anything that is not whole. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** All 64 bits, unsigned. */
  long(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedMessage('a varint of more than ten bytes');
  }

  /** Signed; what is beyond 2^53 loses its last bits. */
  int(): number {
    // Nearly all numbers are lengths and small values: no bigint for them.
    let value = 0;
    for (let index = 0, unit = 1; index < 4; index++, unit *= 128) {
      const byte = this.#bytes[this.#at + index];
      if (byte === undefined) break;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        this.#at += index + 1;
        return value;
      }
    }
    return Number(BigInt.asIntN(64, this.long()));
  }

  tag(): { readonly field: number; readonly wireType: number } {
    const tag = this.int();
    return { field: Math.floor(tag / 8), wireType: tag & 7 };
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const length = this.int();
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new MalformedMessage('a field longer than its message');
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  skip(wireType: number): void {
    if (wireType === wireTypes.varint) this.long();
    else if (wireType === wireTypes.bytes) this.bytes();
    else if (wireType === wireTypes.fixed64) this.#at += 8;
    else if (wireType === wireTypes.fixed32) this.#at += 4;
    else throw new MalformedMessage(`wire type ${wireType}`);
    if (this.#at > this.#bytes.length) throw new MalformedMessage('a field longer than its message');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new MalformedMessage('a number without an end');
    return byte;
  }
}

export class MalformedMessage extends Error {
  constructor(what: string) {
    super(`malformed message: ${what}`);
  }
}
