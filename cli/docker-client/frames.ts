import { Transform } from 'node:stream';

const headerBytes = 8;

/**
 * Takes a multiplexed stream apart (Docker Engine API, "Stream format"): one byte says which stream, three
 * are zero, four hold the length, then the data. What the passed function gets is one piece of one stream.
 * Reading waits while its promise does.
 */
export function demultiplex(
  write: (stream: 'stdout' | 'stderr', piece: Buffer) => Promise<void> | void,
): Transform {
  let pending: Buffer = Buffer.alloc(0);
  let stream: 'stdout' | 'stderr' = 'stdout';
  let remaining = 0;
  const take = (bytes: number) => {
    const taken = pending.subarray(0, bytes);
    pending = pending.subarray(taken.length);
    return taken;
  };
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      try {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        while (remaining > 0 ? pending.length > 0 : pending.length >= headerBytes) {
          if (remaining === 0) {
            const header = take(headerBytes);
            if (header[0]! > 2) throw new Error(`the stream has a frame of unknown kind ${header[0]}`);
            stream = header[0] === 2 ? 'stderr' : 'stdout';
            remaining = header.readUInt32BE(4);
          } else {
            const piece = take(remaining);
            remaining -= piece.length;
            await write(stream, piece);
          }
        }
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
