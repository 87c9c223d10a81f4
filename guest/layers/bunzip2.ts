import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import { InvalidParameter } from '../errors.ts';

/** What is behind bzip2, by a program: Node has none. Throws InvalidParameter when it is damaged, and the source's error. */
export async function* bunzip2(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const child = spawn('busybox', ['bunzip2', '-c'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'close') as Promise<[number | null]>;
  // Awaited when all it printed was read; a program that could not be started ends the reading, too.
  ended.catch((error: Error) => child.stdout.destroy(error));
  let failure: NodeJS.ErrnoException | undefined;
  pipeline(Readable.from(source), child.stdin, (error) => {
    failure = error ?? undefined;
    if (failure !== undefined) child.kill('SIGKILL');
  });
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const [code] = await ended;
    // It says by ending that it wants no more; any other is the source's own.
    if (failure !== undefined && failure.code !== 'EPIPE') throw failure;
    if (code !== 0) throw new InvalidParameter('the bzip2 data is damaged');
  } finally {
    child.kill('SIGKILL');
  }
}
