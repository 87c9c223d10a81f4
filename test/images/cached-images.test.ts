import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { listOsImages } from '../../images/cached-images.ts';
import { cachePaths } from '../../images/paths.ts';

t.test('a file that another process renames while images are listed counts nothing', async (t) => {
  const cacheDirectory = t.testdir();
  const { directory } = cachePaths(cacheDirectory).image('0'.repeat(64));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'root.erofs'), 'four');
  // Named by the directory, and not there to be looked at.
  await symlink('gone', join(directory, 'agent.part'));
  const [image] = await listOsImages({ cacheDirectory });
  t.equal(image?.sizeBytes, 4);
});
