import type { Socket } from 'node:net';
import { bytesPassed } from './passed-bytes.ts';

/**
 * Makes one connection of two: bytes go both ways, no faster than the slower side takes them; the end of one direction
 * is passed on and leaves the other open (`docker run -i` closes its stdin and reads on); when one side breaks, so
 * does the other. Both must be half-open sockets.
 */
export function joinStreams(one: Socket, other: Socket): void {
  passOn(one, other);
  passOn(other, one);
}

function passOn(from: Socket, to: Socket): void {
  // Told by `close`.
  from.on('error', () => {});
  from.on('data', ({ length }: Buffer) => bytesPassed(length));
  from.pipe(to);
  from.once('close', (hadError: boolean) => {
    // With all said, what is still on its way to the other side may arrive.
    if (hadError || !to.writableEnded) to.destroy();
  });
}
