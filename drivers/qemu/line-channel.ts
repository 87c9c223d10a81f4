import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Listener } from './args.ts';

/**
 * Connects to a channel of QEMU. While QEMU starts, its sockets are not there yet and nothing tells when they
 * are, so this tries again until `signal` aborts; with `once` it does not. Throws the last error.
 */
export async function connectChannel(
  listener: Listener,
  { signal, once = false }: { readonly signal: AbortSignal; readonly once?: boolean },
): Promise<Socket> {
  for (;;) {
    try {
      return await connectOnce(listener, signal);
    } catch (error) {
      if (once || signal.aborted) throw error;
      await delay(20, undefined, { signal });
    }
  }
}

function connectOnce(listener: Listener, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  // Loaded here, and node:readline below: `machine env`, timed in milliseconds, opens no channel.
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve, reject) => {
    const socket = 'path' in listener ? connect(listener.path) : connect(listener.port, '127.0.0.1');
    const settle = (error?: Error) => {
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      if (error === undefined) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => settle(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => settle());
    socket.once('error', settle);
  });
}

/** The channel's lines until its other end is gone, or `signal` aborts: then it throws the signal's reason. */
export async function* linesOf(socket: Socket, signal?: AbortSignal): AsyncGenerator<string> {
  socket.on('error', () => {});
  const { createInterface } = process.getBuiltinModule('node:readline');
  const lines = createInterface({ input: socket });
  // A socket that is destroyed at our end has a close but no end, which is all that readline listens to.
  socket.once('close', () => lines.close());
  const stop = () => socket.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    yield* lines;
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
