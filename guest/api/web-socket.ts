import { createHash } from 'node:crypto';
import { Duplex } from 'node:stream';

/** RFC 6455, section 5.2. */
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const normalClosure = 1000;
const protocolError = 1002;
const tooBig = 1009;
/** What a client types or pipes comes in pieces far smaller. */
const maxPayloadBytes = 1024 * 1024;

/** The value of `Sec-WebSocket-Accept` for the client's key (RFC 6455, section 4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/**
 * The server's side of a WebSocket as a stream of bytes: what is written goes out in binary messages, what
 * comes in any message is read. Takes over `connection`, after the answer to its handshake.
 */
export class WebSocketStream extends Duplex {
  readonly #connection: Duplex;
  readonly #opcode: number;
  #pending = Buffer.alloc(0);
  #saidGoodbye = false;

  /** @param options `text`: what is written goes out in text frames, as bytes must not where they are not UTF-8 */
  constructor(connection: Duplex, { text = false }: { readonly text?: boolean } = {}) {
    super();
    this.#opcode = text ? opcodes.text : opcodes.binary;
    this.#connection = connection;
    connection.on('data', (chunk: Buffer) => this.#take(chunk));
    connection.on('end', () => this.push(null));
    connection.on('close', () => this.destroy());
    connection.on('error', () => this.destroy());
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#send(this.#opcode, chunk)) done();
    else this.#connection.once('drain', done);
  }

  override _final(done: () => void): void {
    this.#goodbye(normalClosure);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (let message = this.#next(); message !== null; message = this.#next()) {
      const { opcode, payload } = message;
      if (opcode === opcodes.ping) this.#send(opcodes.pong, payload);
      else if (opcode === opcodes.close) {
        this.push(null);
        this.#goodbye(normalClosure);
        return;
      } else if (opcode <= opcodes.binary && payload.length > 0 && !this.push(payload))
        this.#connection.pause();
    }
  }

  /** Takes a whole frame off what has come; null when there is none yet, or nothing more is wanted. */
  #next(): { opcode: number; payload: Buffer } | null {
    const bytes = this.#pending;
    if (this.#saidGoodbye || bytes.length < 2) return null;
    const short = bytes[1]! & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskAt = 2 + lengthBytes;
    if (bytes.length < maskAt + 4) return null;
    // A client's frames are masked, always (section 5.1).
    if ((bytes[1]! & 0x80) === 0) return this.#refuse(protocolError);
    const length =
      lengthBytes === 2
        ? bytes.readUInt16BE(2)
        : lengthBytes === 8
          ? Number(bytes.readBigUInt64BE(2))
          : short;
    if (length > maxPayloadBytes) return this.#refuse(tooBig);
    const end = maskAt + 4 + length;
    if (bytes.length < end) return null;
    const mask = bytes.subarray(maskAt, maskAt + 4);
    const payload = Buffer.from(bytes.subarray(maskAt + 4, end).map((byte, at) => byte ^ mask[at % 4]!));
    this.#pending = bytes.subarray(end);
    return { opcode: bytes[0]! & 0x0f, payload };
  }

  #refuse(code: number): null {
    this.push(null);
    this.#goodbye(code);
    return null;
  }

  #goodbye(code: number): void {
    if (this.#saidGoodbye) return;
    const reason = Buffer.alloc(2);
    reason.writeUInt16BE(code);
    this.#send(opcodes.close, reason);
    this.#saidGoodbye = true;
    this.#connection.end();
  }

  /** False when the connection wants no more for now. */
  #send(opcode: number, payload: Buffer): boolean {
    if (this.#saidGoodbye || !this.#connection.writable) return true;
    const { length } = payload;
    const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
    header[0] = 0x80 | opcode;
    if (length < 126) header[1] = length;
    else if (length < 65_536) {
      header[1] = 126;
      header.writeUInt16BE(length, 2);
    } else {
      header[1] = 127;
      header.writeBigUInt64BE(BigInt(length), 2);
    }
    return this.#connection.write(Buffer.concat([header, payload]));
  }
}
