import { once } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';

/** The streams of this process, as the client uses them; terminals have more members than pipes. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode' | 'unref'>>;
  readonly stdout: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'rows' | 'columns'>>;
  readonly stderr: NodeJS.WritableStream;
}

/** Waits for the reader when it is slow. */
export async function print(stream: NodeJS.WritableStream, content: string | Uint8Array): Promise<void> {
  if (!stream.write(content)) await once(stream, 'drain');
}

export interface TerminalSize {
  readonly h: number;
  readonly w: number;
}

/** Null when stdout is no terminal. */
export function terminalSize({ stdout }: Streams): TerminalSize | null {
  return stdout.isTTY && stdout.rows && stdout.columns ? { h: stdout.rows, w: stdout.columns } : null;
}

/** Calls back on every new size; the returned function ends that. */
export function onResize(streams: Streams, callback: (size: TerminalSize) => void): () => void {
  const changed = () => {
    const size = terminalSize(streams);
    if (size) callback(size);
  };
  streams.stdout.on('resize', changed);
  return () => void streams.stdout.off('resize', changed);
}

/** Every key goes to the container, Ctrl-C too; the returned function gives the keyboard back. */
export function rawMode({ stdin }: Streams): () => void {
  if (!stdin.isTTY) return () => {};
  stdin.setRawMode?.(true);
  return () => void stdin.setRawMode?.(false);
}
