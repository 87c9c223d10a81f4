import { join } from 'node:path';
import { readFifo } from './fifo.ts';

/**
 * A drain is a process that moves what comes out of a FIFO to a file, so that the agent may be killed at any
 * moment: whatever has left the FIFO is in the file, or in the hands of that process, which goes on. It takes
 * no more than it was told to and then ends, so that a container without an agent waits instead of filling the
 * disk. It ends, too, when the last writer has gone. It holds `<name>.drain` open, which tells any agent, of
 * today or tomorrow, that it is there: one at a time empties a FIFO.
 *
 * Arguments: run directory, name of the stream, segment, bytes. The FIFO is opened for both first: otherwise
 * open(2) waits for a writer.
 */
export const drainScript = `dd bs=64k count="$4" iflag=count_bytes status=none \\
        3<>"$1/io/$2" <"$1/io/$2" 3>&- >>"$1/$2.$3"`;

/** Emits `close` when no process empties the FIFO any more, at once when none does. Destroy it when done. */
export function drainEnd(io: string, name: string) {
  return readFifo(drainFifo(io, name)).resume();
}

/** What the drain of a stream holds open. */
export function drainFifo(io: string, name: string): string {
  return join(io, `${name}.drain`);
}
