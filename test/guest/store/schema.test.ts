import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { openDatabase } from '../../../guest/store/database.ts';
import { migrations } from '../../../guest/store/schema.ts';

t.test('networks of the second version have their blocks by family in the third', async (t) => {
  const path = join(t.testdir({}), 'engine.db');
  const old = new DatabaseSync(path);
  for (const { sql } of migrations.filter(({ version }) => version < 3)) old.exec(sql);
  const shared = { createdAt: 'then', internal: false, attachable: false, labels: { a: 'b' }, options: {} };
  const bridge = {
    linkName: 'br-app',
    subnet: '172.18.0.0/16',
    gateway: '172.18.0.1',
    range: null,
    auxiliary: { printer: '172.18.0.9' },
    mtu: 1400,
    interContainer: false,
    masquerade: true,
    defaultBindAddress: '0.0.0.0',
  };
  const insert = old.prepare('INSERT INTO networks (id, name, record) VALUES (?, ?, ?)');
  insert.run('1', 'app', JSON.stringify({ id: '1', name: 'app', driver: 'bridge', bridge, ...shared }));
  insert.run('2', 'none', JSON.stringify({ id: '2', name: 'none', driver: 'null', bridge: null, ...shared }));
  old.exec('PRAGMA user_version = 2');
  old.close();

  const db = openDatabase(path);
  t.teardown(() => db.close());
  const records = db
    .prepare('SELECT record FROM networks ORDER BY id')
    .all()
    .map(({ record }) => JSON.parse(String(record)));
  const nothing = { ipv6: null, parent: null, interfacePrefix: 'eth' };
  const { auxiliary, gateway, range, subnet } = bridge;
  t.strictSame(records, [
    {
      id: '1',
      name: 'app',
      driver: 'bridge',
      bridge: {
        linkName: 'br-app',
        interContainer: false,
        masquerade: true,
        defaultBindAddress: null,
        foreign: false,
        gatewayMode: { 4: 'nat', 6: 'nat' },
      },
      ...shared,
      ipv4: { subnet, gateway, range, auxiliary },
      mtu: 1400,
      ...nothing,
    },
    { id: '2', name: 'none', driver: 'null', bridge: null, ...shared, ipv4: null, mtu: null, ...nothing },
  ]);
});
