import { DatabaseSync } from 'node:sqlite';
import { Conflict } from '../errors.ts';

/** SQLITE_BUSY. */
const busy = 5;

/**
 * One engine per data root. The kernel holds the lock and frees it with the process, however that ends, so
 * none is ever stale. Node has no flock(2) of its own; an exclusive transaction of SQLite, which is never
 * written to, is one. Throws Conflict when another process has it.
 */
export function lockDataRoot(path: string): Disposable {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    file.close();
    if ((cause as { errcode?: number }).errcode !== busy) throw cause;
    throw new Conflict(`an engine already runs on this data root ("${path}" is locked)`, { cause });
  }
  return { [Symbol.dispose]: () => file.close() };
}
