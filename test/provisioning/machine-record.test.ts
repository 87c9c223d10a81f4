import t from 'tap';
import { FailedPrecondition } from '../../drivers/errors.ts';
import { configVersion, parseRecord, recordText } from '../../provisioning/machine-record.ts';
import { migrate } from '../../provisioning/migrations.ts';
import { exampleRecord } from './example-record.ts';

t.test('a record survives being written and read', async (t) => {
  const { record, migrated } = parseRecord(recordText(exampleRecord()));
  t.same(record, exampleRecord());
  t.equal(migrated, false);
});

t.test('what is no record is refused with the place and the reason', async (t) => {
  const damaged = (change: object) => JSON.stringify({ ...exampleRecord(), ...change });
  const rows: [string, RegExp][] = [
    ['', /not a JSON object/],
    ['[]', /not a JSON object/],
    ['{}', /no ConfigVersion/],
    [damaged({ ConfigVersion: configVersion + 1 }), /from the future: 5.*upgrade machine/],
    [damaged({ ConfigVersion: 3 }), /docker-machine's own/],
    [damaged({ Phase: 'made' }), /"Phase" is not one of creating, created/],
    [damaged({ Name: 7 }), /"Name" is not a text/],
    [damaged({ HostOptions: { EngineOptions: [] } }), /"HostOptions.EngineOptions" is not an object/],
    [damaged({ Engine: { Version: '1' } }), /"Engine.ApiVersion" is not a text/],
  ];
  for (const [text, message] of rows)
    t.throws(() => parseRecord(text), { constructor: FailedPrecondition, message }, text.slice(0, 40));
});

t.test('migrations run in order from the version of the record', async (t) => {
  const steps = [4, 5, 6].map((from) => ({
    from,
    migrate: (record: object) => ({
      ...record,
      seen: [...((record as { seen?: number[] }).seen ?? []), from],
    }),
  }));
  t.same(migrate({ ConfigVersion: 5 }, 7, steps), {
    record: { ConfigVersion: 7, seen: [5, 6] },
    migrated: true,
  });
  t.same(migrate({ ConfigVersion: 7 }, 7, steps), { record: { ConfigVersion: 7 }, migrated: false });
});
