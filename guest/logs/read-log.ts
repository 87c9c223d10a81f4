import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { JsonFileLog } from './json-file-log.ts';
import type { LogEntry } from './log-entry.ts';

export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** Lines from the end; null = all. */
  readonly tail: number | null;
  /** RFC 3339, as in the entries; null = no bound. */
  readonly since: string | null;
  readonly until: string | null;
}

const blockBytes = 64 * 1024;

/**
 * Entries of a log, oldest first. With `follow` goes on until `ended` is aborted (the container is gone and
 * all is written) or `signal` is (the client is gone). A reader that is slower than two rotations misses
 * what was deleted meanwhile; it never holds the writer up.
 */
export async function* readLog(
  log: JsonFileLog,
  query: LogQuery,
  { signal, ended }: { readonly signal: AbortSignal; readonly ended: AbortSignal },
): AsyncGenerator<LogEntry> {
  const wanted = (entry: LogEntry) =>
    query[entry.stream] && (query.since === null || entry.time >= query.since);
  const late = (entry: LogEntry) => query.until !== null && entry.time > query.until;
  let generation = log.generation;
  // Newest first; a gap means that nothing is older.
  const files: EntryFile[] = [];
  for (let age = 0; age < log.maxFiles && (age === 0 || existsSync(log.path(age))); age++)
    if (existsSync(log.path(age))) files.push(new EntryFile(log.path(age)));
  let current = files[0] ?? null;
  try {
    let past: LogEntry[] = [];
    for (const file of files.reverse()) {
      for (const entry of file.read()) {
        if (late(entry)) return;
        if (!wanted(entry)) continue;
        if (query.tail === null) yield entry;
        else {
          past.push(entry);
          if (past.length > 2 * query.tail + 1024) past = past.slice(-query.tail || past.length);
        }
      }
      if (file !== current) file.close();
    }
    if (query.tail !== null && query.tail > 0) yield* past.slice(-query.tail);
    while (query.follow && !signal.aborted) {
      const over = ended.aborted;
      const moved = log.generation !== generation;
      const changed = nextChange(log, signal, ended);
      if (current === null && existsSync(log.file)) current = new EntryFile(log.file);
      for (const entry of current?.read() ?? []) {
        if (late(entry)) return;
        if (wanted(entry)) yield entry;
      }
      if (moved) {
        generation = log.generation;
        current?.close();
        current = null;
        continue;
      }
      if (over) return;
      await changed;
    }
  } finally {
    for (const file of files) file.close();
    current?.close();
  }
}

/** Resolves at the next write or end; made before reading, so that nothing slips through. */
function nextChange(log: JsonFileLog, signal: AbortSignal, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      off();
      signal.removeEventListener('abort', done);
      ended.removeEventListener('abort', done);
      resolve();
    };
    const off = log.onChange(done);
    if (signal.aborted || ended.aborted) return done();
    signal.addEventListener('abort', done);
    ended.addEventListener('abort', done);
  });
}

/** Reads on from where it was; an incomplete last line stays for the next time. */
class EntryFile {
  readonly #fd: number;
  #rest = Buffer.alloc(0);
  #closed = false;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  *read(): Generator<LogEntry> {
    const block = Buffer.alloc(blockBytes);
    for (let length = 1; !this.#closed; ) {
      length = readSync(this.#fd, block);
      if (length === 0) return;
      const data = Buffer.concat([this.#rest, block.subarray(0, length)]);
      const end = data.lastIndexOf(0x0a) + 1;
      this.#rest = Buffer.from(data.subarray(end));
      for (const line of data.toString('utf8', 0, end).split('\n')) {
        const entry = parse(line);
        if (entry) yield entry;
      }
    }
  }

  close(): void {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }
}

/** Null for a line that a power cut has torn. */
function parse(line: string): LogEntry | null {
  try {
    return line === '' ? null : (JSON.parse(line) as LogEntry);
  } catch {
    return null;
  }
}
