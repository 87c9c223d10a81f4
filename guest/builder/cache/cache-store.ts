import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../../digest.ts';
import { quickTransaction } from '../../store/database.ts';
import type { BuildCacheRecord } from '../build.ts';

/** What one step made on one parent. */
export interface CachedStep {
  readonly key: Digest;
  /** The chain after the step; null when it is that of its parent, or there is none. */
  readonly chainId: Digest | null;
  readonly createdAt: Date;
  /** The key of the step before; of an alias, that of the step itself. */
  readonly parent: Digest | null;
}

export interface NewStep extends CachedStep {
  readonly type: BuildCacheRecord['type'];
  readonly description: string;
}

/**
 * Results of build steps by their keys, in the table `build_cache`; a row keeps its layer from being collected.
 * Rows of steps that make no layer remember when they were made, so that the same build gives the same image.
 */
export class CacheStore {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  find(key: Digest): CachedStep | undefined {
    const row = this.#db
      .prepare('SELECT chain_id, parent, created_at FROM build_cache WHERE key = ?')
      .get(key);
    return (
      row && {
        key,
        chainId: row.chain_id as Digest | null,
        parent: row.parent as Digest | null,
        createdAt: new Date(Number(row.created_at)),
      }
    );
  }

  /**
   * One transaction, which a power cut may undo. A step that was kept before is replaced. Its layer must be there and
   * held.
   */
  put(steps: readonly NewStep[]): void {
    if (steps.length === 0) return;
    const insert = this.#db.prepare(
      `INSERT INTO build_cache (key, chain_id, parent, type, description, created_at, used_at, uses)
       VALUES (?, ?, ?, ?, ?, ?, ?, 1)
       ON CONFLICT (key) DO UPDATE SET chain_id = excluded.chain_id, created_at = excluded.created_at,
         parent = excluded.parent, used_at = excluded.used_at, uses = uses + 1`,
    );
    const now = Date.now();
    quickTransaction(this.#db, () => {
      for (const { key, chainId, parent, type, description, createdAt } of steps)
        insert.run(key, chainId, parent, type, description, createdAt.getTime(), now);
    });
  }

  /** Somebody used them just now. */
  touch(keys: readonly Digest[]): void {
    if (keys.length === 0) return;
    const update = this.#db.prepare(
      `UPDATE build_cache SET used_at = ?, uses = uses + 1 WHERE key IN (SELECT value FROM json_each(?))`,
    );
    quickTransaction(this.#db, () => update.run(Date.now(), JSON.stringify(keys)));
  }

  /**
   * Latest used last; of steps used at once the one that stands on the others first. A layer that an image or container
   * has is shared; one that several steps have led to is counted for the last of them.
   */
  records(inUse: ReadonlySet<string>): BuildCacheRecord[] {
    const rows = this.#db
      .prepare(
        `WITH RECURSIVE used(chain_id) AS (
           SELECT chain_id FROM images WHERE chain_id IS NOT NULL
           UNION SELECT parent FROM snapshots WHERE parent IS NOT NULL
           UNION SELECT l.parent FROM layers l JOIN used u ON l.chain_id = u.chain_id WHERE l.parent IS NOT NULL
         )
         SELECT c.*, coalesce(l.size, 0) AS size, c.chain_id IN (SELECT chain_id FROM used) AS shared,
           row_number() OVER (PARTITION BY chain_id ORDER BY used_at DESC, c.created_at, key) AS place
         FROM build_cache c LEFT JOIN layers l USING (chain_id) ORDER BY used_at, c.created_at DESC, key DESC`,
      )
      .all();
    return rows.map((row) => ({
      id: String(row.key),
      parents: row.parent === null ? [] : [String(row.parent)],
      type: row.type as BuildCacheRecord['type'],
      description: String(row.description),
      inUse: inUse.has(String(row.key)),
      shared: Number(row.shared ?? 0) === 1,
      sizeBytes: row.place === 1 ? Number(row.size) : 0,
      createdAt: new Date(Number(row.created_at)),
      lastUsedAt: new Date(Number(row.used_at)),
      usageCount: Number(row.uses),
    }));
  }

  remove(keys: readonly string[]): void {
    this.#db
      .prepare('DELETE FROM build_cache WHERE key IN (SELECT value FROM json_each(?))')
      .run(JSON.stringify(keys));
  }
}
