import { DatabaseSync } from 'node:sqlite';
import { Internal } from '../errors.ts';
import { migrations } from './schema.ts';

/**
 * Opens (and migrates) the engine's database. Each statement outside {@link transaction} is its own durable
 * transaction: when the call returns, the row survives a power cut (synchronous FULL).
 * Throws Internal when the file was written by a newer engine.
 */
export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  migrate(db, path);
  return db;
}

/** All or nothing. Synchronous on purpose: no other statement can slip between. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
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
