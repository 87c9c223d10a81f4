import { setImmediate } from 'node:timers/promises';
import { openIfThere } from '../host/open-if-there.ts';
import type { ContainerLog } from './container-log.ts';
import { CompressedFile, EntryFile } from './entry-file.ts';
import { Follower } from './follower.ts';
import type { LogEntry } from './log-entry.ts';

export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** Entries from the end; null = all. Counted before the others choose among them, as dockerd does. */
  readonly tail: number | null;
  /** Nanoseconds since 1970, both inclusive; null = no bound. */
  readonly since: bigint | null;
  readonly until: bigint | null;
}

/**
 * Entries of a log, oldest first. With `follow` goes on until `ended` is aborted (the container is gone and
 * all is written) or `signal` is (the client is gone), or `until` has come.
 */
export async function* readLog(
  log: ContainerLog,
  query: LogQuery,
  signals: { readonly signal: AbortSignal; readonly ended: AbortSignal },
): AsyncGenerator<LogEntry> {
  const wanted = (entry: LogEntry) =>
    query[entry.stream] && (query.since === null || entry.time >= query.since);
  const late = (entry: LogEntry) => query.until !== null && entry.time > query.until;
  // All at once: what is written or rotated from here on is the follower's.
  using files = openFiles(log);
  const { current } = files;
  const end = current?.size ?? 0;
  using follower = query.follow ? new Follower(log, current) : null;
  const past = query.tail === null ? allOf(files, end) : lastOf(files, end, query.tail);
  for await (const entry of inTurns(past)) {
    if (late(entry)) return;
    if (wanted(entry)) yield entry;
  }
  if (current) current.position = end;
  const ended = AbortSignal.any([signals.ended, ...timeOf(query.until)]);
  for await (const entry of follower?.read({ signal: signals.signal, ended }) ?? []) {
    if (late(entry)) return;
    if (wanted(entry)) yield entry;
  }
}

/** The longest time of a timer (HTML, setTimeout): nobody follows for 25 days. */
const maxTimerMs = 2 ** 31 - 1;

/** Aborted when `until` has come; none without it. */
function timeOf(until: bigint | null): AbortSignal[] {
  if (until === null) return [];
  // Up to the last nanosecond of it.
  const ms = Number(until / 1_000_000n) + 1 - Date.now();
  return ms > maxTimerMs ? [] : [AbortSignal.timeout(Math.max(0, ms))];
}

interface LogFiles extends Disposable {
  readonly current: EntryFile | null;
  /** Newest first. */
  readonly older: readonly (EntryFile | CompressedFile)[];
}

function openFiles(log: ContainerLog): LogFiles {
  const open = (path: string) => {
    const fd = openIfThere(path);
    if (fd === null) return null;
    return path.endsWith('.gz') ? new CompressedFile(fd, log.format) : new EntryFile(fd, log.format);
  };
  const current = open(log.file) as EntryFile | null;
  const older = log.rotated
    .list()
    .map(open)
    .filter((file) => file !== null);
  return {
    current,
    older,
    [Symbol.dispose]: () => {
      for (const file of [...(current ? [current] : []), ...older]) file[Symbol.dispose]();
    },
  };
}

/** `end`: of the current file. */
async function* allOf({ current, older }: LogFiles, end: number): AsyncGenerator<LogEntry> {
  for (const file of older.toReversed()) yield* file.read();
  if (current) yield* current.read(end);
}

async function* lastOf({ current, older }: LogFiles, end: number, count: number): AsyncGenerator<LogEntry> {
  const found: Iterable<LogEntry>[] = [];
  let missing = count;
  for (const file of current ? [current, ...older] : older) {
    if (missing === 0) break;
    if (file instanceof EntryFile) {
      const before = file === current ? end : file.size;
      missing -= await file.seekLast(missing, before);
      found.unshift(file.read(before));
    } else {
      const last = await lastRead(file.read(), missing);
      missing -= last.length;
      found.unshift(last);
    }
  }
  for (const part of found) yield* part;
}

/** Lets others have their turn now and then: a log may be long, and what is read of it not wanted. */
async function* inTurns(entries: AsyncIterable<LogEntry>): AsyncGenerator<LogEntry> {
  let count = 0;
  for await (const entry of entries) {
    if (++count % 1024 === 0) await setImmediate();
    yield entry;
  }
}

async function lastRead(entries: AsyncIterable<LogEntry>, count: number): Promise<LogEntry[]> {
  let last: LogEntry[] = [];
  for await (const entry of entries) {
    last.push(entry);
    if (last.length > 2 * count + 1024) last = last.slice(-count);
  }
  return last.slice(-count);
}
