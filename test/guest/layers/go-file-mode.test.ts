import { constants } from 'node:fs';
import t from 'tap';
import { goFileMode } from '../../../guest/layers/go-file-mode.ts';

t.test("modes are written with Go's bits", async (t) => {
  t.equal(goFileMode(constants.S_IFREG | 0o644), 0o644);
  t.equal(goFileMode(constants.S_IFDIR | 0o1777), 0x80000000 + 0x100000 + 0o777, 'a directory, sticky');
  t.equal(goFileMode(constants.S_IFREG | 0o6755), 0x800000 + 0x400000 + 0o755, 'setuid and setgid');
  t.equal(goFileMode(constants.S_IFLNK | 0o777), 0x8000000 + 0o777);
  t.equal(goFileMode(constants.S_IFCHR | 0o666), 0x4000000 + 0x200000 + 0o666, 'a device of characters');
});
