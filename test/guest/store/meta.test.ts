import { join } from 'node:path';
import t from 'tap';
import { openDatabase } from '../../../guest/store/database.ts';
import { openMeta } from '../../../guest/store/meta.ts';

t.test('the id stays, and a new boot is told from a new start', async (t) => {
  const db = openDatabase(join(t.testdir({}), 'engine.db'));
  t.teardown(() => db.close());
  const first = openMeta(db, 'boot-1');
  t.match(first, { engineId: /^[0-9a-f-]{36}$/, rebooted: false });
  t.same(openMeta(db, 'boot-1'), { engineId: first.engineId, rebooted: false });
  t.same(openMeta(db, 'boot-2'), { engineId: first.engineId, rebooted: true });
  t.same(openMeta(db, 'boot-2'), { engineId: first.engineId, rebooted: false });
});
