import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Internal } from '../errors.ts';
import { isDiskFull } from './disk-full.ts';
import { migrations } from './schema.ts';

/**
 * Opens (and migrates) the engine's database. Each statement outside {@link transaction} is its own durable
 * transaction: when the call returns, the row survives a power cut (synchronous FULL).
 * Throws Internal when the file was written by a newer engine.
 */
export function openDatabase(path: string): DatabaseSync {
  const db = new EngineDatabase(path);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
    PRAGMA wal_autocheckpoint = ${walPages};`);
  migrate(db, path);
  if (sizeOf(`${path}-wal`) < 4096 * walPages) reserve(db);
  return db;
}

/** Keeps what was prepared: the engine has a few dozen statements, and compiling one takes longer than running it. */
class EngineDatabase extends DatabaseSync {
  readonly #statements = new Map<string, StatementSync>();

  override prepare(sql: string): StatementSync {
    const kept = this.#statements.get(sql) ?? super.prepare(sql);
    this.#statements.set(sql, kept);
    return kept;
  }
}

/** SQLite's pages have 4096 bytes. */
const walPages = 256;

/**
 * Takes a megabyte of disk for the log of changes and one for the file itself, so that records can be written
 * when the disk is full: what runs can be stopped then, and what takes the space removed. SQLite writes over
 * what it has and gives nothing back until the last connection closes; so an engine ends without closing.
 */
function reserve(db: DatabaseSync): void {
  try {
    db.exec(`CREATE TABLE reserve (bytes BLOB);
      INSERT INTO reserve VALUES (zeroblob(${4096 * (walPages + 32)}));
      DROP TABLE reserve;`);
  } catch (error) {
    // The disk is full now: the engine starts with what it has from its last start.
    if (!isDiskFull(error)) throw error;
    db.exec('DROP TABLE IF EXISTS reserve');
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** All or nothing. Synchronous on purpose: no other statement can slip between. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has rolled it back already.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * A transaction that is not waited for: a power cut may undo it, whole, as long as no later one is durable (SQLite's log is
 * synced up to the last). For what nobody was promised yet, such as when something was last used.
 */
export function quickTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('PRAGMA synchronous = NORMAL');
  try {
    return transaction(db, work);
  } finally {
    db.exec('PRAGMA synchronous = FULL');
  }
}

function migrate(db: DatabaseSync, path: string): void {
  const current = Number(db.prepare('PRAGMA user_version').get()!.user_version);
  const newest = migrations.at(-1)!.version;
  if (current > newest) {
    throw new Internal(
      `"${path}" has schema version ${current}, this engine knows ${newest}; upgrade the engine`,
    );
  }
  for (const { version, sql } of migrations.filter((m) => m.version > current)) {
    transaction(db, () => db.exec(`${sql}; PRAGMA user_version = ${version};`));
  }
}
