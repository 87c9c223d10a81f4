import { appendFileSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FileOwners } from '../../../../provisioning/directories/owners/file-owners.ts';
import { OwnerJournal } from '../../../../provisioning/directories/owners/owner-journal.ts';

const file = (ino: number, birthtimeMs = 1764406513123.456) =>
  ({ ino, birthtimeMs, uid: 1001, gid: 1001 }) as Stats;
const shown = (owners: FileOwners, stats: Stats) => {
  const { uid, gid } = owners.show(stats);
  return `${uid}:${gid}`;
};

t.test('a file is shown as whom it was given to, until it is taken back', async (t) => {
  const owners = new FileOwners();
  t.equal(shown(owners, file(7)), '1001:1001');
  owners.give(file(7), { uid: 999, gid: 998 });
  t.equal(shown(owners, file(7)), '999:998');
  t.equal(shown(owners, file(8)), '1001:1001');
  t.equal(shown(owners, file(7, 1764406513123.457)), '1001:1001', 'a later file that has its number');
  owners.takeBack(file(7));
  t.equal(shown(owners, file(7)), '1001:1001');
});

t.test('what cannot be told from a later file is not given away', async (t) => {
  t.throws(() => new FileOwners().give(file(7, 0), { uid: 999, gid: 998 }), { code: 'EPERM' });
});

t.test('are known to who comes after, whatever was cut short', async (t) => {
  const path = join(t.testdir(), 'owners');
  const first = new FileOwners(new OwnerJournal(path));
  first.give(file(1), { uid: 1, gid: 1 });
  first.give(file(2), { uid: 2, gid: 2 });
  first.give(file(2), { uid: 22, gid: 22 });
  first.give(file(3), { uid: 3, gid: 3 });
  first.takeBack(file(3));
  t.equal(statSync(path).mode & 0o777, 0o600);
  appendFileSync(path, '1 1764406513123.456 9 9');
  const second = new FileOwners(new OwnerJournal(path));
  second.give(file(4), { uid: 4, gid: 4 });
  second.close();
  const third = new FileOwners(new OwnerJournal(path));
  t.same(
    [1, 2, 3, 4].map((ino) => shown(third, file(ino))),
    ['1:1', '22:22', '1001:1001', '4:4'],
  );
});

t.test('are bounded, in memory and on disk, the oldest forgotten first', async (t) => {
  const path = join(t.testdir(), 'owners');
  const many = 100;
  const owners = new FileOwners(new OwnerJournal(path), many);
  owners.give(file(1), { uid: 5, gid: 5 });
  for (let i = 0; i < many; i++) owners.give(file(100 + i), { uid: 6, gid: 6 });
  t.equal(shown(owners, file(1)), '1001:1001');
  t.equal(shown(owners, file(100)), '6:6');
  for (let i = 0; i < many; i++) owners.give(file(100), { uid: 7, gid: i });
  const lines = readFileSync(path, 'latin1').split('\n').filter(Boolean).length;
  t.ok(lines <= 2 * many, `${lines} lines`);
  const after = new FileOwners(new OwnerJournal(path), many);
  t.equal(shown(after, file(100)), `7:${many - 1}`);
  t.equal(shown(after, file(100 + many - 1)), '6:6');
});
