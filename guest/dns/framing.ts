/**
 * Messages on a stream (RFC 1035, section 4.2.2): two bytes of length go before each. Several may be under way, and
 * answers come in any order (RFC 7766, section 6.2.1).
 */
export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

export function readMessages(source: NodeJS.ReadableStream, use: (message: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  source.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      use(pending.subarray(2, end));
      pending = pending.subarray(end);
    }
  });
}
