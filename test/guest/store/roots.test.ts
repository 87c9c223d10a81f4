import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeRoot } from '../../../guest/store/roots.ts';

t.test('a root is made with all above it, and again', async (t) => {
  const path = join(t.testdir({}), 'a', 'b');
  makeRoot('--data-root', path);
  makeRoot('--data-root', path);
});

t.test('where no files can be kept is refused, also where mkdir would never return', async (t) => {
  const file = join(t.testdir({}), 'file');
  writeFileSync(file, '');
  const table: [string, RegExp][] = [
    ['/proc/x/y', /--data-root "\/proc\/x\/y" cannot be used: "\/proc" is proc, which keeps no files/],
    ['/sys/x', /"\/sys" is sysfs/],
    [file, /it is not a directory/],
    [join(file, 'below'), /it is not a directory/],
  ];
  for (const [path, message] of table)
    t.throws(() => makeRoot('--data-root', path), { name: 'InvalidParameter', message }, path);
});
