import { maxPacketBytes } from './protocol.ts';

/** The other side does not speak the protocol; nothing that follows in the stream can be understood. */
export class ProtocolError extends Error {}

const lengthBytes = 4;

/** Cuts a stream of bytes into packets, without their length fields. */
export class PacketCutter {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** What must be there before it is worth to look again. */
  #wanted = lengthBytes;

  /** Throws ProtocolError for a packet that is empty or too long. */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) return;
    const all = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let at = 0;
    this.#wanted = lengthBytes;
    while (all.length - at >= lengthBytes) {
      const length = all.readUInt32BE(at);
      if (length === 0 || length > maxPacketBytes)
        throw new ProtocolError(`a packet of ${length} bytes; expected 1 to ${maxPacketBytes}`);
      this.#wanted = lengthBytes + length;
      if (all.length - at < this.#wanted) break;
      yield all.subarray(at + lengthBytes, at + this.#wanted);
      at += this.#wanted;
      this.#wanted = lengthBytes;
    }
    this.#chunks = at < all.length ? [all.subarray(at)] : [];
    this.#bytes = all.length - at;
  }
}

/** Reads the fields of one packet. Throws ProtocolError when it is shorter than they are. */
export class Fields {
  #at = 0;
  readonly #packet: Buffer;

  constructor(packet: Buffer) {
    this.#packet = packet;
  }

  byte(): number {
    return this.#take(1)[0]!;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  /** Throws ProtocolError for what no file is large enough for. */
  uint64(): number {
    const value = Number(this.#take(8).readBigUInt64BE(0));
    if (!Number.isSafeInteger(value)) throw new ProtocolError(`a number of ${value}`);
    return value;
  }

  /** Of the packet's own memory: not to be kept. */
  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  #take(length: number): Buffer {
    if (length > this.#packet.length - this.#at)
      throw new ProtocolError('a packet ends before its fields do');
    this.#at += length;
    return this.#packet.subarray(this.#at - length, this.#at);
  }
}

/** A packet in the making; grows as it is written. */
export class Packet {
  #buffer = Buffer.allocUnsafe(256);
  #at = lengthBytes;

  /** How many bytes there are by now. */
  get length(): number {
    return this.#at;
  }

  byte(value: number): this {
    this.#buffer[this.#room(1)] = value;
    return this;
  }

  uint32(value: number): this {
    const at = this.#room(4);
    this.#buffer.writeUInt32BE(value >>> 0, at);
    return this;
  }

  uint64(value: number): this {
    const at = this.#room(8);
    this.#buffer.writeBigUInt64BE(BigInt(value), at);
    return this;
  }

  bytes(value: Buffer | string): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.uint32(bytes.length);
    const at = this.#room(bytes.length);
    bytes.copy(this.#buffer, at);
    return this;
  }

  /** Another value for a field that was written before. */
  patchUint32(at: number, value: number): void {
    this.#buffer.writeUInt32BE(value, at);
  }

  /** With its length field. */
  finish(): Buffer {
    this.#buffer.writeUInt32BE(this.#at - lengthBytes, 0);
    return this.#buffer.subarray(0, this.#at);
  }

  #room(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#at, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }
}
