import t from 'tap';
import { mountOf, parseMountTable } from '../../../guest/host/mount-table.ts';

const table = parseMountTable(`22 27 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:22 / /a\\040b rw master:1 - tmpfs tmpfs rw
24 22 0:23 / /c rw,relatime - tmpfs tmpfs rw
25 24 0:24 / /c rw shared:2 master:1 - tmpfs tmpfs rw
`);

t.test('reads what a mount passes on', async (t) => {
  t.same(table[0], { point: '/', shared: true, slave: false });
  t.same(table[1], { point: '/a b', shared: false, slave: true });
  t.same(table[2], { point: '/c', shared: false, slave: false });
});

t.test('finds the mount of a path: the deepest, and the upper one of two', async (t) => {
  t.equal(mountOf('/a b', table)?.point, '/a b');
  t.equal(mountOf('/a bc', table)?.point, '/');
  t.same(mountOf('/c/d/e', table), { point: '/c', shared: true, slave: true });
});
