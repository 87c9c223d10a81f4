import type { Stats } from 'node:fs';
import t from 'tap';
import { changeOwner } from '../../../../provisioning/directories/owners/change-owner.ts';
import { FileOwners } from '../../../../provisioning/directories/owners/file-owners.ts';
import { type Owner, sameNumber } from '../../../../provisioning/directories/owners/owner.ts';

const file = () => ({ ino: 7, birthtimeMs: 1, uid: 1001, gid: 1002 }) as Stats;
const refusing = (code: string) => async () => {
  throw Object.assign(new Error(code), { code });
};

t.test('what this process may do is done, and what was remembered is forgotten', async (t) => {
  const owners = new FileOwners();
  owners.give(file(), { uid: 5, gid: 6 });
  const done: Owner[] = [];
  const really = async (owner: Owner) => void done.push(owner);
  await changeOwner(owners.show(file()), { uid: 1001, gid: sameNumber }, { really, owners });
  t.same(done, [{ uid: 1001, gid: 6 }]);
  t.match(owners.show(file()), { uid: 1001, gid: 1002 });
});

t.test('what it may not do is remembered', async (t) => {
  const owners = new FileOwners();
  await changeOwner(file(), { uid: 999, gid: sameNumber }, { really: refusing('EPERM'), owners });
  t.match(owners.show(file()), { uid: 999, gid: 1002 });
});

t.test('nothing is asked for who has it already', async (t) => {
  const owners = new FileOwners();
  owners.give(file(), { uid: 5, gid: 6 });
  await changeOwner(owners.show(file()), { uid: 5, gid: 6 }, { really: refusing('EIO'), owners });
  t.match(owners.show(file()), { uid: 5, gid: 6 });
});

t.test('other errors are the caller’s', async (t) => {
  const owners = new FileOwners();
  await t.rejects(changeOwner(file(), { uid: 5, gid: 6 }, { really: refusing('EROFS'), owners }), {
    code: 'EROFS',
  });
  t.match(owners.show(file()), { uid: 1001 });
});
