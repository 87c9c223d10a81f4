import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { Internal } from '../errors.ts';
import type { TarEntry } from './tar-entry.ts';
import { type TarEvent, TarParser } from './tar-parser.ts';
import { encodeHeader, tarEnd, tarPadding } from './tar-writer.ts';

/**
 * Everything in a directory as a tar: owners, exact times, devices, hard links, extended attributes. Names
 * are relative to it, in order of their bytes; the directory itself is left out, and so are sockets. A file
 * that changes meanwhile is taken as it was found.
 */
export function tarTree(directory: string): Readable {
  return entriesToTar(treeEvents(directory), (entry) => [entry]);
}

/** A directory for {@link tarTrees}. */
export interface NamedTree {
  readonly directory: string;
  /** The directory in the tar that it is put in, `NAME/`; null = none. */
  readonly place: TarEntry | null;
}

/** Several directories as one tar. */
export function tarTrees(trees: readonly NamedTree[]): Readable {
  return entriesToTar(namedEvents(trees), (entry) => [entry]);
}

async function* namedEvents(trees: readonly NamedTree[]): AsyncGenerator<TarEvent> {
  for (const { directory, place } of trees) {
    if (place) yield { kind: 'entry', entry: place };
    if (place) yield { kind: 'done' };
    for await (const event of treeEvents(directory))
      yield place && event.kind === 'entry'
        ? { kind: 'entry', entry: below(place.path, event.entry) }
        : event;
  }
}

function below(place: string, entry: TarEntry): TarEntry {
  const linkPath = entry.type === 'hardlink' ? `${place}${entry.linkPath}` : entry.linkPath;
  return { ...entry, path: `${place}${entry.path}`, linkPath };
}

/** The tar of entries after `change`, which may drop an entry (and its payload) or add some before it. */
export function entriesToTar(
  events: AsyncIterable<TarEvent>,
  change: (entry: TarEntry) => readonly TarEntry[],
): Readable {
  return Readable.from(encode(events, change), { objectMode: false, highWaterMark: 256 * 1024 });
}

async function* encode(
  events: AsyncIterable<TarEvent>,
  change: (entry: TarEntry) => readonly TarEntry[],
): AsyncGenerator<Buffer> {
  let size: number | null = null;
  for await (const event of events) {
    if (event.kind === 'entry') {
      const entries = change(event.entry);
      size = entries.at(-1)?.size ?? null;
      for (const entry of entries) yield encodeHeader(entry);
    } else if (event.kind === 'payload' && size !== null) yield event.bytes;
    else if (event.kind === 'done' && size) yield tarPadding(size);
  }
  yield tarEnd;
}

export interface TreeOptions {
  /** Names in the directory (byte strings); everything when absent. */
  readonly names?: readonly string[];
  /** Leaves out what is below the names. */
  readonly flat?: boolean;
}

/**
 * The entries of a directory, read by GNU tar, because Node cannot read attributes. Names have no `./`; the
 * directory itself is left out.
 */
export async function* treeEvents(
  directory: string,
  { names = ['.'], flat = false }: TreeOptions = {},
): AsyncGenerator<TarEvent> {
  const args = [...create, ...(flat ? ['--no-recursion'] : []), '--directory', directory, ...fromStdin];
  const child = spawn('tar', args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  const closed = once(child, 'close');
  closed.catch(() => {});
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-2000);
  });
  // A tar that does not read its list to the end is judged by its exit code.
  child.stdin.on('error', () => {});
  const list = names.map((name) => `${name === '.' ? name : `./${name}`}\0`).join('');
  child.stdin.end(Buffer.from(list, 'latin1'));
  try {
    const parser = new TarParser();
    for await (const chunk of child.stdout) {
      for (const event of parser.push(chunk)) {
        if (event.kind !== 'entry') yield event;
        else if (event.entry.path !== './') yield { kind: 'entry', entry: stripDot(event.entry) };
      }
    }
    const [exitCode] = await closed;
    // 1 is "a file changed as we read it".
    if (exitCode !== 0 && exitCode !== 1) throw new Internal(`tar could not read files: ${stderr.trim()}`);
    parser.finish();
  } finally {
    child.kill('SIGKILL');
  }
}

const fromStdin = ['--null', '--verbatim-files-from', '--files-from=-'];

const create = [
  '--create',
  '--format=posix',
  '--pax-option=delete=atime,delete=ctime',
  '--numeric-owner',
  '--sort=name',
  '--xattrs',
  '--xattrs-include=*',
  '--warning=no-file-ignored',
  '--warning=no-file-changed',
];

function stripDot(entry: TarEntry): TarEntry {
  const strip = (name: string) => (name.startsWith('./') ? name.slice(2) : name);
  const linkPath = entry.type === 'hardlink' ? strip(entry.linkPath) : entry.linkPath;
  return { ...entry, path: strip(entry.path), linkPath };
}
