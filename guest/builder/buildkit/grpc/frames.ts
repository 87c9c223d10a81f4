import { codes, GrpcError } from './status.ts';

const headBytes = 5;

/** More than any message of BuildKit's clients (16 MiB, its own limit). */
const mostBytes = 32 * 1024 * 1024;

/** A message as it stands in a stream: a byte that says "not compressed", its length, itself. */
export function frame(message: Uint8Array): Buffer {
  const whole = Buffer.allocUnsafe(headBytes + message.length);
  whole.writeUInt8(0, 0);
  whole.writeUInt32BE(message.length, 1);
  whole.set(message, headBytes);
  return whole;
}

/** The messages in the bytes of a stream. Throws GrpcError when they are compressed, too long or cut off. */
export async function* unframe(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let wanted = headBytes;
  for await (const chunk of stream) {
    parts.push(chunk);
    held += chunk.length;
    if (held < wanted) continue;
    let rest =
      parts.length === 1 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat(parts);
    wanted = wholeBytes(rest);
    while (rest.length >= wanted) {
      yield rest.subarray(headBytes, wanted);
      rest = rest.subarray(wanted);
      wanted = wholeBytes(rest);
    }
    parts = rest.length > 0 ? [rest] : [];
    held = rest.length;
  }
  if (held > 0) throw new GrpcError(codes.internal, 'the stream ended within a message');
}

/** Bytes of the first frame, head included; those of a head when it is not there yet. */
function wholeBytes(bytes: Buffer): number {
  if (bytes.length < headBytes) return headBytes;
  if (bytes.readUInt8(0) !== 0)
    throw new GrpcError(codes.unimplemented, 'compressed messages are not supported');
  const length = bytes.readUInt32BE(1);
  if (length > mostBytes)
    throw new GrpcError(codes.resourceExhausted, `a message of ${length} bytes is too long`);
  return headBytes + length;
}
