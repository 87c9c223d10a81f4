import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { openDatabase, quickTransaction, transaction } from '../../../guest/store/database.ts';
import { migrations } from '../../../guest/store/schema.ts';

t.test('a database of an older engine is brought up to date, one of a newer is refused', async (t) => {
  const path = join(t.testdir({}), 'engine.db');
  const old = new DatabaseSync(path);
  old.exec(`${migrations[0]!.sql}; PRAGMA user_version = 1;
    INSERT INTO layers VALUES ('sha256:a', 1, 'sha256:a', NULL, 5, 0);
    INSERT INTO images VALUES ('sha256:b', x'7b7d', 'sha256:a', 5, 0);`);
  old.close();
  const db = openDatabase(path);
  t.match(db.prepare('SELECT size, tar_size FROM layers').get(), { size: 5, tar_size: null });
  t.match(db.prepare('SELECT size, tagged_at FROM images').get(), { size: 5, tagged_at: null });
  db.exec('PRAGMA user_version = 99');
  db.close();
  t.throws(() => openDatabase(path), /schema version 99, this engine knows \d+; upgrade the engine/);
});

t.test('the log of changes has its place on the disk before it is needed', async (t) => {
  const path = join(t.testdir({}), 'engine.db');
  const db = openDatabase(path);
  const size = statSync(`${path}-wal`).size;
  t.ok(size > 1024 * 1024);
  for (let i = 0; i < 2000; i++) db.exec(`INSERT INTO meta VALUES ('key-${i}', '${'x'.repeat(500)}')`);
  t.equal(statSync(`${path}-wal`).size, size, 'and does not grow');
  db.close();
});

t.test('what a transaction throws comes out as it is', async (t) => {
  const db = openDatabase(join(t.testdir({}), 'engine.db'));
  const failing = (work: () => void) =>
    transaction(db, () => {
      db.exec("INSERT INTO meta VALUES ('a', 'b')");
      work();
      throw new Error('the cause');
    });
  t.throws(() => failing(() => {}), /the cause/);
  // As SQLite does itself when the disk is full.
  t.throws(() => failing(() => db.exec('ROLLBACK')), /the cause/);
  t.equal(db.prepare("SELECT count(*) AS n FROM meta WHERE key = 'a'").get()?.n, 0);
  db.close();
});

t.test('a quick transaction is one, and what comes after it is durable again', async (t) => {
  const db = openDatabase(join(t.testdir({}), 'engine.db'));
  const put = db.prepare('INSERT INTO meta VALUES (?, ?)');
  const synchronous = () => db.prepare('PRAGMA synchronous').get()?.synchronous;
  const [normal, full] = [1, 2];
  t.equal(
    quickTransaction(db, () => put.run('a', 'b') && synchronous()),
    normal,
  );
  t.equal(synchronous(), full);
  const failing = () =>
    quickTransaction(db, () => {
      put.run('c', 'd');
      throw new Error('the cause');
    });
  t.throws(failing, /the cause/);
  t.equal(synchronous(), full);
  t.same(db.prepare("SELECT key FROM meta WHERE key IN ('a', 'c')").all(), [{ key: 'a' }]);
  db.close();
});

t.test('a statement that was prepared before knows nothing of what it was run with', async (t) => {
  const db = openDatabase(join(t.testdir({}), 'engine.db'));
  const count = 'SELECT count(*) AS n FROM meta WHERE key = ?';
  db.prepare('INSERT INTO meta VALUES (?, ?)').run('a', 'b');
  t.equal(db.prepare(count).get('a')?.n, 1);
  t.equal(db.prepare(count).get('b')?.n, 0);
  t.equal(db.prepare(count), db.prepare(count));
  db.close();
});
