import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Internal } from '../errors.ts';
import { fsPath, type TarEntry } from './tar-entry.ts';
import { encodeHeader, tarEnd, tarPadding } from './tar-writer.ts';

/** An entry that Node has no call for: a device, a FIFO, or anything with extended attributes. */
export interface SpecialEntry {
  /** Its path leads to its place without symbolic links: the caller has resolved it. */
  readonly entry: TarEntry;
  /** Where a file's content is now; may be the very file that the entry replaces. */
  readonly content?: string;
}

/**
 * Makes the entries in a directory with one GNU tar process; none when there are none. Entries replace what
 * is there, except that directories keep what they hold.
 */
export async function makeSpecialEntries(directory: string, entries: Iterable<SpecialEntry>): Promise<void> {
  const iterator = entries[Symbol.iterator]();
  const first = iterator.next();
  if (first.done) return;
  const child = spawn('tar', [...extract, '--directory', directory, '--file', '-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-2000);
  });
  const closed = once(child, 'close');
  const fed = pipeline(Readable.from(encode(first.value, iterator)), child.stdin);
  const [written, exited] = await Promise.allSettled([fed, closed]);
  if (exited.status === 'rejected') {
    throw new Internal('tar could not be started; the engine needs GNU tar', { cause: exited.reason });
  }
  if (exited.value[0] !== 0) throw new Internal(`tar could not make special files: ${stderr.trim()}`);
  if (written.status === 'rejected') throw written.reason;
}

const extract = [
  '--extract',
  '--preserve-permissions',
  '--same-owner',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--delay-directory-restore',
];

async function* encode(first: SpecialEntry, rest: Iterator<SpecialEntry>): AsyncGenerator<Buffer> {
  for (let next: IteratorResult<SpecialEntry> = { value: first }; !next.done; next = rest.next()) {
    const { entry, content } = next.value;
    if (content === undefined || entry.size === 0) yield encodeHeader(entry);
    else {
      const stream = createReadStream(fsPath(content), { highWaterMark: 256 * 1024 });
      // Opened before tar hears of the entry, for it then removes the old file.
      await once(stream, 'open');
      yield encodeHeader(entry);
      for await (const chunk of stream) yield chunk;
      yield tarPadding(entry.size);
    }
  }
  yield tarEnd;
}
