import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Crowd {
  /** Of those that had their answer; still open. */
  readonly sockets: readonly Socket[];
  /** How many ended how: `no answer`, `ended` or a code of the system's. */
  readonly lost: Readonly<Record<string, number>>;
}

/**
 * Opens many connections at once to programs that send back what they are sent, `place(i)` the i-th. Resolves when each has
 * had its answer, was lost, or has waited for `deadlineMs`.
 */
export async function crowd(
  size: number,
  place: (index: number) => Place,
  { deadlineMs = 120_000 }: { readonly deadlineMs?: number } = {},
): Promise<Crowd> {
  const lost: Record<string, number> = {};
  const all = Array.from({ length: size }, async (_, i) => {
    const socket = connect(place(i)).on('error', () => {});
    const outcome = await hello(socket, `hello ${i}`, deadlineMs);
    if (outcome === 'answered') return [socket];
    lost[outcome] = (lost[outcome] ?? 0) + 1;
    socket.destroy();
    return [];
  });
  return { sockets: (await Promise.all(all)).flat(), lost };
}

/** Sends a word and waits for it to come back. */
export async function hello(socket: Socket, word: string, deadlineMs = 60_000): Promise<string> {
  socket.write(word);
  const done = new AbortController();
  const { signal } = done;
  const timer = setTimeout(() => done.abort(), deadlineMs);
  try {
    return await Promise.race([
      once(socket, 'data', { signal }).then(([data]) =>
        String(data) === word ? 'answered' : 'another answer',
      ),
      once(socket, 'close', { signal }).then(() => 'ended'),
    ]);
  } catch (error) {
    return signal.aborted ? 'no answer' : String((error as NodeJS.ErrnoException).code);
  } finally {
    clearTimeout(timer);
    done.abort();
  }
}

/** So many connections, a few at a time, each closed after its answer; how many had none. */
export async function comeAndGo(
  count: number,
  concurrency: number,
  place: (index: number) => Place,
): Promise<number> {
  let next = 0;
  let failed = 0;
  const one = async () => {
    while (next < count) {
      const { sockets, lost } = await crowd(1, () => place(next++));
      failed += Object.keys(lost).length;
      for (const socket of sockets) socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return failed;
}
