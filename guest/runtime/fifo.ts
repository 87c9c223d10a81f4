import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';

/**
 * Ends of FIFOs as streams on the event loop. Opening never waits. Open for reading only when the writer is
 * there, or has been: a FIFO without a writer is at its end.
 */
export function readFifo(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  // poll(2) reports the end only for a writer that left after we came (pipe_poll() in the kernel compares
  // writer counts); when all had left before, this one makes it true.
  touchFifo(path);
  // Nothing is read ahead of whoever listens: what is still in the FIFO outlives this process.
  return new Socket({ fd, readable: true, writable: false, ...{ highWaterMark: 0 } });
}

/** Throws ENXIO when nobody reads. */
export function writeFifo(path: string): Socket {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: false, writable: true });
  // EPIPE: the container closed its stdin. `close` tells whoever writes.
  socket.on('error', () => {});
  return socket;
}

/** Opens and closes the writing end, which wakes who waits to open it for reading. */
export function touchFifo(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch (error) {
    // ENXIO: nobody waits any more; ENOENT: the run directory is gone.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENXIO' && code !== 'ENOENT') throw error;
  }
}
