import { Transform, type TransformCallback } from 'node:stream';

/**
 * Docker's multiplexed stream: each piece of output has a header of 8 bytes: the stream's number, three
 * zeros and the length, big-endian (Engine API, ContainerAttach, "Stream format").
 */
export const streamNumbers = { stdin: 0, stdout: 1, stderr: 2, systemError: 3 } as const;
export type StreamName = keyof typeof streamNumbers;

const headerBytes = 8;

export function frameHeader(name: StreamName, length: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header[0] = streamNumbers[name];
  header.writeUInt32BE(length, 4);
  return header;
}

export function frame(name: StreamName, data: Buffer): Buffer {
  return Buffer.concat([frameHeader(name, data.length), data]);
}

/**
 * Frames what is written to it. Pipe a container's stdout and stderr through one each, both with
 * `{ end: false }` into the same client: a frame is written whole, so frames of two sources never mix.
 */
export class FrameEncoder extends Transform {
  readonly #name: StreamName;
  constructor(name: StreamName) {
    super();
    this.#name = name;
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    callback(null, frame(this.#name, chunk));
  }
}

export interface Frame {
  readonly name: StreamName;
  readonly data: Buffer;
}

const names = Object.keys(streamNumbers) as StreamName[];

/** The reading side, for tests and the built-in client. Throws on an unknown stream number. */
export async function* decodeFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let pending = Buffer.alloc(0);
  for await (const chunk of source) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= headerBytes) {
      const name = names[pending[0]!];
      if (name === undefined) throw new Error(`unknown stream number ${pending[0]}`);
      const length = pending.readUInt32BE(4);
      if (pending.length < headerBytes + length) break;
      yield { name, data: pending.subarray(headerBytes, headerBytes + length) };
      pending = pending.subarray(headerBytes + length);
    }
  }
}
