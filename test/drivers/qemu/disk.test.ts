import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { diskBytes } from '../../../drivers/qemu/disk.ts';

t.test('what a disk holds is read from its header', async (t) => {
  const directory = t.testdir();
  const header = Buffer.alloc(104);
  header.write('QFI\xfb', 'latin1');
  header.writeUInt32BE(3, 4);
  header.writeBigUInt64BE(3n * 1024n ** 3n, 24);
  const disk = join(directory, 'disk.qcow2');
  writeFileSync(disk, header);
  t.equal(await diskBytes(disk), 3 * 1024 ** 3);
  writeFileSync(disk, 'raw');
  await t.rejects(diskBytes(disk), { message: /is no qcow2 disk/ });
  await t.rejects(diskBytes(join(directory, 'none')), { code: 'ENOENT' });
});
