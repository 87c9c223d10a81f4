import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../store/database.ts';
import type { ContainerRecord } from './container-record.ts';

/** The `containers` table. Each write is durable when it returns. */
export class ContainerStore {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  all(): ContainerRecord[] {
    return this.#db
      .prepare('SELECT record FROM containers')
      .all()
      .map((row) => JSON.parse(String(row.record)) as ContainerRecord);
  }

  /** Records a new container together with what `more` records: both or neither. */
  create(record: ContainerRecord, more: () => void): void {
    transaction(this.#db, () => {
      more();
      this.put(record);
    });
  }

  put(record: ContainerRecord): void {
    this.#db
      .prepare(
        `INSERT INTO containers (id, name, image_id, record) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record`,
      )
      .run(record.id, record.name, record.imageId, JSON.stringify(record));
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM containers WHERE id = ?').run(id);
  }
}
